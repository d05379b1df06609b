"""Words that say the contrary of what the reference says of the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from ...languages import Language
from ...languages.phrases import Clause
from ...languages.text import Profile, words
from .lexicon import safety_lexicon
from .sentences import sentences

_REACH = 6
_NEGATED = 2
_SHARED = 2


class Stemmer(Protocol):
    """What gives a word its stem and knows words that say nothing."""

    def stem(self, word: str) -> str: ...

    def idle(self, word: str) -> bool: ...

    def negates(self, word: str) -> bool: ...


@dataclass(frozen=True)
class Opposite:
    """One side of a pair of opposites at a place of a text, and the stems of the content words near it.

    ``place`` counts the text's words.
    """

    pair: int
    side: int
    place: int
    context: frozenset[str]


def contraries(answer: Sequence[Opposite], reference: Sequence[Opposite]) -> list[Opposite]:
    """The words of the answer whose contrary the reference says of the same things.

    A pair of which one text has both sides tells nothing.
    """
    sides = [{(each.pair, each.side) for each in text} for text in (answer, reference)]
    found = []
    for one in answer:
        other_side = (one.pair, 1 - one.side)
        if other_side in sides[0] or (one.pair, one.side) in sides[1]:
            continue
        for other in reference:
            if (other.pair, other.side) != other_side:
                continue
            shared = len(one.context & other.context)
            if shared >= min(_SHARED, len(one.context), len(other.context)) > 0:
                found.append(one)
                break
    return found


class OppositeReader:
    """Finds one language's opposites in texts."""

    def __init__(self, language: Language, stemmer: Stemmer) -> None:
        self._language, self._stemmer = language, stemmer
        rules = safety_lexicon(language).rules
        self._sides: dict[tuple[str, ...], tuple[int, int]] = {}
        for pair, both in enumerate(rules.opposites):
            for side, group in enumerate(both):
                for item in group:
                    self._sides.setdefault(tuple(words(item, Profile.METRIC, language)), (pair, side))
        self._first = frozenset(phrase[0] for phrase in self._sides)
        self._longest = max(map(len, self._sides), default=0)
        self._prefixes = rules.stem_prefixes
        self._bare = lru_cache(maxsize=1 << 16)(self._without)
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def _read(self, text: str) -> tuple[Opposite, ...]:
        found: list[Opposite] = []
        for clause in sentences(text, self._language):
            if any(map(self._bare, clause.words)):
                found += self._clause(clause)
        return tuple(found)

    def _without(self, word: str) -> str:
        """The word as a pair has it, without what is written before it; empty if none has."""
        if not word.startswith(self._prefixes):
            return word if word in self._first else ""
        forms = (word, *(word[len(p) :] for p in self._prefixes if word.startswith(p)))
        return next((form for form in forms if form in self._first), "")

    def _clause(self, clause: Clause) -> list[Opposite]:
        tokens = clause.words
        stems = [
            ("" if self._stemmer.idle(word) or self._bare(word) else self._stemmer.stem(word)) for word in tokens
        ]
        found, at = [], 0
        while at < len(tokens):
            width = self._width(tokens, at)
            if width:
                pair, side = self._sides[(self._bare(tokens[at]), *tokens[at + 1 : at + width])]
                before = range(max(0, at - _NEGATED), at)
                if width == 1 and any(self._stemmer.negates(tokens[place]) for place in before):
                    side = 1 - side
                near = range(max(0, at - _REACH), min(len(tokens), at + width + _REACH))
                context = frozenset(stems[place] for place in near if stems[place])
                found.append(Opposite(pair, side, clause.offset + at, context))
            at += width or 1
        return found

    def _width(self, tokens: tuple[str, ...], at: int) -> int:
        bare = self._bare(tokens[at])
        if not bare:
            return 0
        widths = range(min(self._longest, len(tokens) - at), 0, -1)
        return next((width for width in widths if (bare, *tokens[at + 1 : at + width]) in self._sides), 0)
