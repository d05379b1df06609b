"""Phrases over the words of a text, found in time linear in the text: phrases are indexed by their first word."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from ..core.settings import Record
from . import Language
from .text import Profile, words, words_of_each

_GAP = frozenset({"*"})
_LONGEST_GAP = 2
# A full stop between digits is a decimal point.
_HARD = re.compile(r"[!?\u061F;\u061B\n\r\u2026]+|(?<!\d)\.+|\.+(?!\d)")
_STOP, _COMMA = "\ua4d0", "\ua4d1"
_SOFT = re.compile(r"[,\u060C:()\u2013\u2014/-]+")


class Clitics(Record):
    """What a complaint's word may carry around a lexicon's word; ``particles`` carry only ``cue_prefixes``.

    ``suffixes_of_long_words`` need three letters before them: after two they make other words ("fish", "poison").
    """

    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    suffixes_of_long_words: tuple[str, ...]
    cue_prefixes: tuple[str, ...]
    particles: tuple[str, ...]


@dataclass(frozen=True)
class Clause:
    """Words between two sentence ends; ``breaks`` are the positions that follow a comma or the like.

    ``offset`` counts the text's words before it.
    """

    words: tuple[str, ...]
    breaks: frozenset[int]
    offset: int = 0


class Found(NamedTuple):
    """A phrase in a clause: what it belongs to and the positions of its words, those of gaps left out."""

    payload: Any
    positions: tuple[int, ...]

    @property
    def start(self) -> int:
        """Position of the first word."""
        return self.positions[0]

    @property
    def end(self) -> int:
        """Position after the last word."""
        return self.positions[-1] + 1


@cache
def _joint(marks: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=\w)[{re.escape(marks)}](?=[^\W\d_])")


def clauses(text: str, language: Language) -> list[Clause]:
    """Normalised words of a text, cut at sentence ends."""
    found = []
    offset = 0
    if language.joining:
        text = _joint(language.joining).sub(" ", text)
    # Marked by letters that no text has, so that normalisation, which costs by the call, sees the text once.
    marked = _SOFT.sub(f" {_COMMA} ", _HARD.sub(f" {_STOP} ", text))
    tokens: list[str] = []
    breaks: set[int] = set()
    for word in (*words(marked, Profile.METRIC, language), _STOP):
        if word == _COMMA:
            if tokens:
                breaks.add(len(tokens))
        elif word != _STOP:
            tokens.append(word)
        elif tokens:
            found.append(Clause(tuple(tokens), frozenset(breaks), offset))
            offset += len(tokens)
            tokens, breaks = [], set()
    return found


class _Longer(NamedTuple):
    """A phrase of several words: how far its second may stand from its first, and the words that follow that one.

    ``rest`` has the alternatives of each word and how far it may stand from the one before.
    """

    number: int
    furthest: int
    rest: tuple[tuple[frozenset[str], int], ...]


class _Known(NamedTuple):
    """A word of a text: the pattern words that it can be, the phrases that it is by itself, and those it begins.

    ``beginnings`` holds longer phrases by their second word.
    """

    keys: tuple[str, ...]
    alone: tuple[int, ...]
    beginnings: dict[str, list[_Longer]]


_UNKNOWN = _Known((), (), {})
"""What most words are."""
_MOST_WORDS = 1 << 18
"""Words that are remembered: misspelt ones never end."""


class _Memory(dict[str, _Known]):
    """Looks every word up once: a dictionary answers faster than a cached function."""

    def __init__(self, look_up: Callable[[str], _Known]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, word: str) -> _Known:
        if len(self) >= _MOST_WORDS:
            self.clear()
        known = self[word] = self._look_up(word)
        return known


class Patterns:
    """A set of phrases with what each belongs to.

    A lexical phrase's word also matches with the language's clitics around it; a cue's word only with a leading
    conjunction, since "what" is not "when" although one letter tells them apart.
    """

    def __init__(self, clitics: Clitics, language: Language) -> None:
        self._clitics = clitics
        self._language = language
        self._lexical: set[str] = set()
        self._cues: set[str] = set()
        self._patterns: list[tuple[Any, tuple[frozenset[str], ...]]] = []
        # Numbers of the phrases of one word by it; longer ones by their first word, then by their second.
        self._alone: dict[str, list[int]] = defaultdict(list)
        self._index: dict[str, dict[str, list[_Longer]]] = defaultdict(lambda: defaultdict(list))
        # How far the second word of a phrase may stand from its first.
        self._reach = 1
        self._known = _Memory(self._look_up)
        self._merged: dict[tuple[str, ...], dict[str, list[_Longer]]] = {}
        self._forms = bare_forms(clitics, language)

    def add(self, phrase: str, payload: Any, *, cue: bool) -> None:
        """Add a phrase: words in order, ``*`` for zero to two words, ``a|b`` for either."""
        elements = []
        parts = phrase.split()
        spelt = iter(words_of_each([part.replace("|", " ") for part in parts if part != "*"], self._language))
        for part in parts:
            if part == "*":
                elements.append(_GAP)
                continue
            alternatives = set(next(spelt))
            (self._cues if cue else self._lexical).update(alternatives)
            elements.append(frozenset("=" + word if cue else word for word in alternatives))
        if not elements or elements[0] is _GAP or elements[-1] is _GAP or not all(elements):
            raise ValueError(f"phrase {phrase!r} must begin and end with a word")
        number = len(self._patterns)
        self._patterns.append((payload, tuple(elements)))
        solid = [at for at, element in enumerate(elements) if element is not _GAP]
        steps = [(elements[at], 1 + (at - before - 1) * _LONGEST_GAP) for before, at in pairwise(solid)]
        if not steps:
            for word in elements[0]:
                self._alone[word].append(number)
        else:
            seconds, furthest = steps[0]
            longer = _Longer(number, furthest, tuple(steps[1:]))
            self._reach = max(self._reach, furthest)
            for word in elements[0]:
                for following in seconds:
                    self._index[word][following].append(longer)
        self._known.clear()
        self._merged.clear()

    def find(self, clause: Clause) -> list[Found]:
        """All phrases in a clause, each start once per phrase with its shortest gaps."""
        known = list(map(self._known.__getitem__, clause.words))
        patterns, reach = self._patterns, self._reach
        # All pattern words in a row, and where those of each position begin.
        row = [(key, at) for at, each in enumerate(known) for key in each.keys]
        begins = list(accumulate([len(each.keys) for each in known], initial=0))
        found: list[Found] = []
        for start, (_, alone, beginnings) in enumerate(known):
            heard = []
            if beginnings:
                near = row[begins[start + 1] : begins[min(start + 1 + reach, len(known))]]
                heard = [(beginnings[key], at) for key, at in near if key in beginnings]
            if not heard:
                if alone:
                    found += [Found(patterns[number][0], (start,)) for number in alone]
                continue
            positions: dict[int, tuple[int, ...]] = {}
            for phrases, at in heard:
                for number, furthest, rest in phrases:
                    if at - start > furthest or number in positions:
                        continue
                    if not rest:
                        positions[number] = (start, at)
                    elif behind := _behind(rest, 0, known, at):
                        positions[number] = (start, at, *behind)
            for number in alone:
                positions[number] = (start,)
            # Sorted, so that the order of what is found is no accident of hashing.
            found += [Found(patterns[number][0], positions[number]) for number in sorted(positions)]
        return found

    def _look_up(self, word: str) -> _Known:
        """What a complaint's word can be."""
        keys = list(self._lexical.intersection(self._forms(word)))
        keys += ["=" + form for form in (word, *_without(word, self._clitics.cue_prefixes)) if form in self._cues]
        if not keys:
            return _UNKNOWN
        found = tuple(dict.fromkeys(keys))
        return _Known(
            found,
            tuple(sorted({number for key in found for number in self._alone.get(key, ())})),
            self._beginnings(tuple(key for key in found if key in self._index)),
        )

    def _beginnings(self, keys: tuple[str, ...]) -> dict[str, list[_Longer]]:
        """Longer phrases that begin with one of some pattern words, by their second word."""
        if len(keys) == 1:
            return self._index[keys[0]]
        if keys not in self._merged:
            merged: dict[str, list[_Longer]] = defaultdict(list)
            for key in keys:
                for following, phrases in self._index[key].items():
                    merged[following] += phrases
            self._merged[keys] = dict(merged)
        return self._merged[keys]


def _without(word: str, prefixes: tuple[str, ...]) -> list[str]:
    # Most words begin with none.
    if not word.startswith(prefixes):
        return []
    return [word[len(p) :] for p in prefixes if word.startswith(p) and len(word) - len(p) >= 2]


@cache
def bare_forms(clitics: Clitics, language: Language) -> Callable[[str], tuple[str, ...]]:
    """What a word is without the clitics around it; one memory for all patterns of a language."""
    particles = frozenset(word for item in clitics.particles for word in words(item, Profile.METRIC, language))
    before_suffix = tuple(language.before_suffix.items())
    suffixes = tuple((suffix, 3 if suffix in clitics.suffixes_of_long_words else 2) for suffix in clitics.suffixes)
    ends, before_words, before_cues = clitics.suffixes, clitics.prefixes, clitics.cue_prefixes

    @lru_cache(maxsize=1 << 18)
    def forms_of(word: str) -> tuple[str, ...]:
        bases = {word, *_without(word, before_words)}
        forms = set(bases)
        for base in bases:
            for suffix, shortest in suffixes if base.endswith(ends) else ():
                if base.endswith(suffix) and len(base) - len(suffix) >= shortest:
                    stem = base[: -len(suffix)]
                    forms.add(stem)
                    for written, alone in before_suffix:
                        if stem.endswith(written):
                            forms.add(stem.removesuffix(written) + alone)
        # A tuple of texts is nothing that the collector of garbage has to look at.
        if particles.isdisjoint(forms):
            return tuple(forms)
        conjoined = {word, *_without(word, before_cues)}
        return tuple([form for form in forms if form not in particles or form in conjoined])

    return forms_of


def _behind(
    steps: tuple[tuple[frozenset[str], int], ...], at: int, known: Sequence[_Known], before: int
) -> tuple[int, ...]:
    """The positions of the words that follow ``before``, with the shortest gaps; empty if they do not."""
    alternatives, furthest = steps[at]
    for place, word in enumerate(known[before + 1 : before + 1 + furthest], before + 1):
        if not alternatives.isdisjoint(word.keys):
            if at + 1 == len(steps):
                return (place,)
            if behind := _behind(steps, at + 1, known, place):
                return (place, *behind)
    return ()
