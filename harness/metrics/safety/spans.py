"""From the words that detectors read back to the characters of the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...languages import Language
from ...languages.text import Profile, words
from .sentences import sentences

# What sentences and clauses are cut at, and white space.
_PIECE = re.compile(r"[^\s!?\u061F;\u061B\u2026,\u060C:()\u2013\u2014/.-]+(?:\.(?=\d)\d+)*")


class TextSpans:
    """The place of each word of a text, as ``Clause.offset`` counts them."""

    def __init__(self, text: str, language: Language) -> None:
        self._length = len(text)
        self._places: list[tuple[int, int]] = []
        found: list[str] = []
        for piece in _PIECE.finditer(text):
            own = words(piece.group(), Profile.METRIC, language)
            self._places += [piece.span()] * len(own)
            found += own
        read = [word for clause in sentences(text, language) for word in clause.words]
        # Where a mark inside a word parts it in another way, the whole text stands for the word.
        self._exact = found == read

    def of(self, positions: Iterable[int]) -> tuple[int, int]:
        """From the first character of the first word to the end of the last; the whole text if it is not known."""
        places = [self._places[at] for at in positions if at < len(self._places)] if self._exact else []
        if not places:
            return 0, self._length
        return min(start for start, _ in places), max(end for _, end in places)
