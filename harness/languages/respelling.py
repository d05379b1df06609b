"""Names of medicines however they are spelt: their consonants tell them apart better than their vowels."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import fuzz, process

from ..core.settings import Record

_SHORTEST = 5
_FEWEST_CONSONANTS = 4
# Equal consonants and little else in common is another word.
_ALIKE = 75
_LONG, _NEARLY = 9, 88
_DOUBLED = re.compile(r"(.)\1+")


class Spelling(Record):
    """Letters that spellings of one name leave out or change (``weak``), and those that stand for one sound.

    ``words`` are no names although they are spelt nearly like some.
    """

    weak: str
    alike: tuple[str, ...]
    words: tuple[str, ...] = ()


class Respelling:
    """Finds the name that a word is a spelling of, by its consonants or, of long names, by all of its letters."""

    def __init__(self, names: Iterable[str], spelling: Spelling, article: str = "") -> None:
        self._table = str.maketrans(
            {letter: group[0] for group in spelling.alike for letter in group} | dict.fromkeys(spelling.weak, "")
        )
        self._words = frozenset(spelling.words)
        self._names: dict[str, list[str]] = defaultdict(list)
        for name in names:
            if len(name) >= _SHORTEST and not (article and name.startswith(article)):
                self._names[self._consonants(name)].append(name)
        self._long = [name for known in self._names.values() for name in known if len(name) >= _LONG]

    def __call__(self, word: str) -> str | None:
        """The name that a normalised word is another spelling of, if any."""
        if len(word) < _SHORTEST or word in self._words:
            return None
        consonants = self._consonants(word)
        known = self._names.get(consonants) if len(consonants) >= _FEWEST_CONSONANTS else None
        same = process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=_ALIKE) if known else None
        if same is None and len(word) >= _LONG:
            same = process.extractOne(word, self._long, scorer=fuzz.ratio, score_cutoff=_NEARLY)
        return same[0] if same else None

    def _consonants(self, word: str) -> str:
        """The letters that are said, one for each sound; a doubled letter once."""
        return _DOUBLED.sub(r"\1", word).translate(self._table)
