"""Words that say the contrary of what the reference says of the same thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

from ...languages import Language
from ...languages.clauses import Clause
from ...languages.text import Profile, words
from .lexicon import safety_lexicon
from .sentences import sentences

_REACH = 6
_NEGATED, _GOVERNED = 3, 5
_FEW, _FEW_WORDS = 3, 12
_SHARED = 2


class Stemmer(Protocol):
    """What gives a word its root and knows words that say nothing."""

    def root(self, word: str) -> str: ...

    def idle(self, word: str) -> bool: ...

    def negates(self, word: str) -> bool: ...

    def fused(self, word: str) -> str | None: ...


@dataclass(frozen=True)
class Opposite:
    """One side of a pair of opposites at a place of a text, and the words near it.

    ``side`` is the one that is meant, ``said`` that of the word itself, which a negation turns into the other.
    ``place`` counts the text's words, ``few`` says that its sentence says little, and
    ``denies`` that it denies what it is said of.
    """

    pair: int
    side: int
    said: int
    place: int
    near: tuple[str, ...]
    root: Callable[[str], str]
    few: bool = False
    denies: bool = False

    @cached_property
    def context(self) -> frozenset[str]:
        """The roots of the content words near it, which few are asked for."""
        return frozenset(filter(None, map(self.root, self.near)))


def contraries(
    answer: Sequence[Opposite], reference: Sequence[Opposite], elliptic: int | None = None
) -> list[Opposite]:
    """The words of the answer whose contrary the reference says of the same things.

    A pair of which one text has both sides tells nothing. A word at the place ``elliptic`` is said of what was
    asked, which a reference of few words speaks of too ("yes, it is" against "eczema is not").
    """
    if not answer or not reference:
        return []
    sides = [{(each.pair, each.side) for each in text} for text in (answer, reference)]
    if sides[1].isdisjoint((pair, 1 - side) for pair, side in sides[0]):
        return []
    found = []
    for one in answer:
        other_side = (one.pair, 1 - one.side)
        if other_side in sides[0] or (one.pair, one.side) in sides[1]:
            continue
        for other in reference:
            if (other.pair, other.side) != other_side:
                continue
            shared = len(one.context & other.context)
            wanted = 1 if one.few or other.few else _SHARED
            least = min(len(one.context), len(other.context))
            # Two sentences that say nothing else are of one thing.
            enough = shared >= min(wanted, least) and (least > 0 or (one.few and other.few))
            enough = enough or (one.place == elliptic and other.few)
            if enough and not _twice(one, other, answer, reference):
                found.append(one)
                break
    return found


def _twice(one: Opposite, other: Opposite, answer: Sequence[Opposite], reference: Sequence[Opposite]) -> bool:
    """Whether another contrary beside this one makes both say the same ("worse by moving", "better by resting")."""
    return any(
        here.pair == there.pair and here.said != there.said
        for here in answer
        if here.pair != one.pair and 0 < abs(here.place - one.place) <= _REACH
        for there in reference
        if 0 < abs(there.place - other.place) <= _REACH
    )


class OppositeReader:
    """Finds one language's opposites in texts."""

    def __init__(self, language: Language, stemmer: Stemmer) -> None:
        self._language, self._stemmer = language, stemmer
        rules = safety_lexicon(language).rules
        self._sides: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        for pair, both in enumerate(rules.opposites):
            for side, group in enumerate(both):
                for item in group:
                    sides = self._sides[tuple(words(item, Profile.METRIC, language))]
                    if (pair, side) not in sides:
                        sides.append((pair, side))
        self._first = frozenset(phrase[0] for phrase in self._sides)
        # How many words a phrase with that first one may have, the longest first.
        self._widths = {
            first: sorted({len(phrase) for phrase in self._sides if phrase[0] == first}, reverse=True)
            for first in self._first
        }
        self._unturned = frozenset(rules.unturned)
        self._denying = frozenset(rules.denying_sides)
        self._prefixes, self._case = rules.stem_prefixes, rules.case_ending
        self._bare = lru_cache(maxsize=1 << 16)(self._without)
        self._says = lru_cache(maxsize=1 << 16)(self._root_said)
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def _read(self, text: str) -> tuple[Opposite, ...]:
        found: list[Opposite] = []
        for clause in sentences(text, self._language):
            if any(map(self._bare, clause.words)):
                found += self._clause(clause)
        return tuple(found)

    def _without(self, word: str) -> str:
        """The word as a pair has it, without what is written before it; empty if none has."""
        inner = self._stemmer.fused(word)
        if inner is None and not word.startswith(self._prefixes):
            if word in self._first:
                return word
            bare = word.removesuffix(self._case)
            return bare if bare in self._first else ""
        forms = (word, *(word[len(p) :] for p in self._prefixes if word.startswith(p)), inner or "")
        return next((form for form in (*forms, word.removesuffix(self._case)) if form in self._first), "")

    def _clause(self, clause: Clause) -> list[Opposite]:
        tokens = clause.words
        found: list[Opposite] = []
        few, end = False, 0
        for at, bare in enumerate(map(self._bare, tokens)):
            if bare and at >= end and (width := self._width(bare, tokens, at)):
                few = few or (len(tokens) <= _FEW_WORDS and sum(map(bool, map(self._says, tokens))) <= _FEW)
                end = at + width
                sides = self._sides[(bare, *tokens[at + 1 : end])]
                before = range(max(0, at - _NEGATED), at)
                governed = range(max([0, at - _GOVERNED, *(each for each in clause.breaks if each <= at)]), at)
                negated = self._stemmer.fused(tokens[at]) is not None or any(
                    self._stemmer.negates(tokens[place]) for place in (before if width == 1 else governed)
                )
                near = range(max(0, at - _REACH), min(len(tokens), at + width + _REACH))
                around = (*tokens[near.start : at], *tokens[at + width : near.stop])
                found += [
                    self._opposite(pair, side, negated, clause.offset + at, around, few) for pair, side in sides
                ]
        return found

    def _root_said(self, word: str) -> str:
        """The root of a word that says something and is none of a pair; empty of others."""
        return "" if self._stemmer.idle(word) or self._bare(word) else self._stemmer.root(word)

    def _opposite(
        self, pair: int, side: int, negated: bool, place: int, near: tuple[str, ...], few: bool
    ) -> Opposite:
        meant = 1 - side if negated and pair not in self._unturned else side
        return Opposite(pair, meant, side, place, near, self._says, few, (pair, meant) in self._denying)

    def _width(self, bare: str, tokens: tuple[str, ...], at: int) -> int:
        return next((n for n in self._widths[bare] if (bare, *tokens[at + 1 : at + n]) in self._sides), 0)
