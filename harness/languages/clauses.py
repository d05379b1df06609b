"""The clauses of a text: its normalised words, cut at the ends of sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from . import Language
from .text import BETWEEN, apart

# A full stop between digits is a decimal point.
_HARD = re.compile(r"[!?\u061F;\u061B\n\r\u2026]+|(?<!\d)\.+|\.+(?!\d)")
_STOP, _COMMA = "\ua4d0", "\ua4d1"
# Alone: within a word it is a letter of a script that has it.
_END = re.compile(rf"{_STOP}(?<!\S{_STOP})(?!\S)")
_SOFT = re.compile(r"[,\u060C:()\u2013\u2014/-]+")


class Clause(NamedTuple):
    """Words between two sentence ends; ``breaks`` are the positions that follow a comma or the like.

    ``offset`` counts the text's words before it.
    """

    words: tuple[str, ...]
    breaks: frozenset[int]
    offset: int = 0


@cache
def _joint(marks: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=\w)[{re.escape(marks)}](?=[^\W\d_])")


def clauses(text: str, language: Language) -> list[Clause]:
    """Normalised words of a text, cut at sentence ends."""
    return _cut(apart(_marked(text, language), language))


def clauses_of_each(texts: Sequence[str], language: Language) -> list[list[Clause]]:
    """``clauses`` of each of the texts by one normalisation, which costs by the call."""
    if not texts:
        return []
    if any(BETWEEN in text for text in texts):
        # A text's own such letter would be taken for the mark between two.
        return [clauses(text, language) for text in texts]
    every = apart(_marked(f" {BETWEEN} ".join(texts), language), language)
    return [_cut(text) for text in every.split(BETWEEN)]


def _marked(text: str, language: Language) -> str:
    """A text with letters that no text has for the ends of sentences, and for commas and the like."""
    if language.joining:
        text = _joint(language.joining).sub(" ", text)
    return _SOFT.sub(f" {_COMMA} ", _HARD.sub(f" {_STOP} ", text))


def _cut(text: str) -> list[Clause]:
    """The clauses of a normalised text with such marks."""
    found = []
    offset = 0
    for part in _END.split(text):
        tokens = part.split()
        breaks: frozenset[int] = frozenset()
        if _COMMA in part:
            commas = [at for at, word in enumerate(tokens) if word == _COMMA]
            # Positions among the words alone; a comma that opens a clause cuts nothing.
            breaks = frozenset([at - before for before, at in enumerate(commas)]) - {0}
            tokens = [word for word in tokens if word != _COMMA]
        if tokens:
            found.append(Clause(tuple(tokens), breaks, offset))
            offset += len(tokens)
    return found
