"""Texts that go round in circles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

_IN_A_ROW, _LETTERS = 4, 8
_ONE_LETTER = re.compile(r"(\w)\1{7,}")
# A text without a loop hardly repeats its words.
_MOSTLY_NEW = 0.8


def repeats(tokens: Sequence[str]) -> bool:
    """Whether a text's words say the same again and again, the numbers of a list left out.

    One word four times in a row or one letter eight times; word triples that stand there three times or more and
    hold 40 % of the words; runs of seven words that stand there twice or more and hold half of them.
    """
    # Few words have so many letters and so few different ones, and the search is slow.
    drawn = [token for token in tokens if len(token) >= _LETTERS and len(set(token)) <= len(token) - _LETTERS + 1]
    if any(map(_ONE_LETTER.search, drawn)):
        return True
    spoken = [token for token in tokens if not token.isdigit()]
    if len(set(spoken)) > _MOSTLY_NEW * len(spoken):
        return _in_a_row(spoken)
    return _held(spoken, 3, 3, 0.4) or _held(spoken, 7, 2, 0.5) or _in_a_row(spoken)


def _in_a_row(tokens: Sequence[str]) -> bool:
    row = 1
    for before, token in pairwise(tokens):
        row = row + 1 if token == before else 1
        if row >= _IN_A_ROW:
            return True
    return False


def _held(tokens: Sequence[str], width: int, times: int, share: float) -> bool:
    """Whether runs of so many words that stand there so many times hold a share of all words."""
    runs = list(zip(*(tokens[step:] for step in range(width)), strict=False))
    counts = Counter(runs)
    held = {at + step for at, run in enumerate(runs) if counts[run] >= times for step in range(width)}
    return len(held) >= share * len(tokens) > 0
