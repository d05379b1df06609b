"""Marks of a prompt's format in the spellings of models: indented, bold, as a heading, with or without accents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from ..languages import Language, codes, language
from ..languages.text import Profile, normalise

_LINE = re.compile(r"\n([^\n]*)")
_COLON = re.compile("[:：﹕︓]")
_HEADING = re.compile(r"\s*(#+|\*\*|__)")
_LONGEST = 60
"""A longer line before its colon is no mark, however it is spelt."""


def spelt(text: str, until: tuple[str, ...], first: int) -> tuple[int, str] | None:
    """The first line after ``first`` that is one of the marks among ``until`` in another spelling.

    A mark is a stop string that a language's prompt brings. A line is one if what stands before its colon is the
    mark's word as the metrics of that language read it: whatever stands around it in bold, quotation or headings,
    in whichever case, with or without accents. A heading or a bold line may lack the colon.

    Returns:
        The place of the line break before it, and the stop string that it is a spelling of; None where there is
        none.
    """
    if not (marks := _marks(until)):
        return None
    for found in _LINE.finditer(text, first + 1):
        line = found[1]
        head = _COLON.split(line, maxsplit=1)[0]
        if len(head) > _LONGEST or (head == line and not _HEADING.match(line)):
            continue
        for code, words in marks.items():
            if stop := words.get(normalise(head, Profile.METRIC, language(code))):
                return found.start(), stop
    return None


@cache
def _marks(until: tuple[str, ...]) -> Mapping[str, Mapping[str, str]]:
    """By language, the words of its marks among the stop strings, each with its stop string."""
    found = {code: _words(language(code), until) for code in codes()}
    return {code: words for code, words in found.items() if words}


def _words(tongue: Language, until: tuple[str, ...]) -> dict[str, str]:
    words: dict[str, str] = {}
    for stop in tongue.stop.plain:
        word = normalise(stop, Profile.METRIC, tongue)
        if stop in until and word:
            words.setdefault(word, stop)
    return words
