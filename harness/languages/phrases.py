"""Phrases over the words of a text, found in time linear in the text: phrases are indexed by their first word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from . import Language
from .clauses import Clause
from .clitics import Clitics, bare_forms, without_prefix
from .text import words_of_each

_GAP = frozenset({"*"})
_LONGEST_GAP = 2


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


class _Longer(NamedTuple):
    """A phrase of several words: how far its second may stand from its first, and the words that follow that one.

    ``rest`` has the kinds of words that may come next and how far each may stand from the one before.
    """

    number: int
    payload: Any
    furthest: int
    rest: tuple[tuple[set[int], int], ...]


class _Kind:
    """Words of texts that can be the same words of phrases: ``keys``.

    ``alone`` are the phrases that they are by themselves, ``followers`` the kinds that may be the second word of a
    longer one, ``reach`` how far on that may stand, and ``pairs`` the longer phrases by the kind of the second
    word, as they are asked for.
    """

    __slots__ = ("alone", "followers", "keys", "pairs", "reach")

    def __init__(
        self, keys: frozenset[str], alone: tuple[tuple[int, Any], ...], followers: set[int], reach: int
    ) -> None:
        self.keys = keys
        self.alone = alone
        self.followers = followers
        self.reach = reach
        self.pairs: dict[int, list[_Longer]] = {}


_MOST_WORDS = 1 << 18
"""Words that are remembered: misspelt ones never end."""


class _Memory(dict[str, int]):
    """Looks every word up once: a dictionary answers faster than a cached function."""

    def __init__(self, look_up: Callable[[str], int]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, word: str) -> int:
        if len(self) >= _MOST_WORDS:
            self.clear()
        known = self[word] = self._look_up(word)
        return known


class Patterns:
    """A set of phrases with what each belongs to.

    A lexical phrase's word also matches with the language's clitics around it; a cue's word only with a leading
    conjunction, since "what" is not "when" although one letter tells them apart. Of a word of no phrase
    ``respelt`` tells which it is another spelling of. One of the ``classes`` in a phrase stands for all of its
    words, which may be thousands and cost as much as one.
    """

    def __init__(
        self,
        clitics: Clitics,
        language: Language,
        respelt: Callable[[str], str | None] | None = None,
        classes: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._clitics = clitics
        self._language = language
        self._respelt = respelt
        self._classes = classes or {}
        self._lexical: set[str] = set()
        self._cues: set[str] = set()
        self._patterns: list[tuple[Any, tuple[frozenset[str], ...]]] = []
        # Phrases of one word by it; longer ones by their first word, then by their second.
        self._alone: dict[str, dict[int, Any]] = defaultdict(dict)
        self._index: dict[str, dict[str, list[_Longer]]] = defaultdict(lambda: defaultdict(list))
        # The first words of longer phrases by their second, and how far from each of them a second may stand.
        self._firsts: dict[str, dict[str, None]] = defaultdict(dict)
        self._reach: dict[str, int] = defaultdict(int)
        # The kinds of words that hold one of some words, by those and by each of them.
        self._holders: dict[frozenset[str], set[int]] = {}
        self._holders_of: dict[str, list[set[int]]] = defaultdict(list)
        self._numbers = _Memory(self._number_of)
        self._forget()
        self._forms = bare_forms(clitics, language)

    def add(self, phrase: str, payload: Any, *, cue: bool) -> None:
        """Add a phrase: words in order, ``*`` for zero to two words, ``a|b`` for either."""
        elements = []
        parts = phrase.split()
        written = [part.replace("|", " ") for part in parts if part != "*" and part not in self._classes]
        spelt = iter(words_of_each(written, self._language) if written else [])
        for part in parts:
            if part == "*":
                elements.append(_GAP)
                continue
            alternatives = {part} if part in self._classes else set(next(spelt))
            (self._cues if cue else self._lexical).update(alternatives)
            elements.append(frozenset("=" + word if cue else word for word in alternatives))
        if not elements or elements[0] is _GAP or elements[-1] is _GAP or not all(elements):
            raise ValueError(f"phrase {phrase!r} must begin and end with a word")
        if len(self._kinds) > 1:
            self._forget()
        number = len(self._patterns)
        self._patterns.append((payload, tuple(elements)))
        solid = [at for at, element in enumerate(elements) if element is not _GAP]
        steps = [(elements[at], 1 + (at - before - 1) * _LONGEST_GAP) for before, at in pairwise(solid)]
        if not steps:
            for word in elements[0]:
                self._alone[word][number] = payload
            return
        seconds, furthest = steps[0]
        longer = _Longer(number, payload, furthest, tuple([(self._held(each), far) for each, far in steps[1:]]))
        for word in elements[0]:
            self._reach[word] = max(self._reach[word], furthest)
            for following in seconds:
                self._index[word][following].append(longer)
                self._firsts[following][word] = None

    def find(self, clause: Clause) -> list[Found]:
        """All phrases in a clause, each start once per phrase with its shortest gaps."""
        kinds = self._kinds
        numbers = list(map(self._numbers.__getitem__, clause.words))
        found: list[Found] = []
        for start, number in enumerate(numbers):
            if not number:
                continue
            kind = kinds[number]
            followers, first = kind.followers, start + 1
            near = numbers[first : first + kind.reach]
            if followers.isdisjoint(near):
                for _, payload in kind.alone:
                    found.append(Found(payload, (start,)))
                continue
            longer: dict[int, Found] = {}
            for at, second in enumerate(near, first):
                if second in followers:
                    phrases = kind.pairs.get(second) or self._pair(kind, second)
                    _follow(phrases, start, at, numbers, longer)
            for each, payload in kind.alone:
                longer[each] = Found(payload, (start,))
            # Sorted, so that the order of what is found is no accident of hashing.
            found += [longer[each] for each in sorted(longer)]
        return found

    def _forget(self) -> None:
        """Begin with no word known; the first kind is that of most words, which mean nothing."""
        self._numbers.clear()
        self._kinds = [_Kind(frozenset(), (), set(), 0)]
        self._by_keys = {self._kinds[0].keys: 0}
        # The kinds that may follow a first word, and the sets of them that hold those of several.
        self._followers: dict[str, set[int]] = defaultdict(set)
        self._merged: dict[str, list[set[int]]] = defaultdict(list)
        for holders in self._holders.values():
            holders.clear()

    def _held(self, alternatives: frozenset[str]) -> set[int]:
        """The kinds of words that hold one of some words, those that are still to come included."""
        holders = self._holders.get(alternatives)
        if holders is None:
            holders = self._holders[alternatives] = set()
            for key in alternatives:
                self._holders_of[key].append(holders)
        return holders

    def _number_of(self, word: str) -> int:
        keys = self._keys(word)
        number = self._by_keys.get(keys)
        return self._new(keys) if number is None else number

    def _keys(self, word: str) -> frozenset[str]:
        """The words of phrases that a text's word can be."""
        forms = self._forms(word)
        keys = self._lexical.intersection(forms)
        for name, members in self._classes.items():
            if not members.isdisjoint(forms):
                keys.add(name)
        if not keys and self._respelt:
            # Names carry prefixes and hardly ever an ending.
            names = map(self._respelt, (word, *without_prefix(word, self._clitics.prefixes)))
            keys = self._lexical.intersection(names)
        for form in (word, *without_prefix(word, self._clitics.cue_prefixes)):
            if form in self._cues:
                keys.add("=" + form)
        return frozenset(keys)

    def _new(self, keys: frozenset[str]) -> int:
        """Make the kind of words that can be ``keys``, and tell the others of it."""
        number = self._by_keys[keys] = len(self._kinds)
        alone: dict[int, Any] = {}
        for key in keys:
            alone |= self._alone.get(key, {})
            for holders in self._holders_of.get(key, ()):
                holders.add(number)
            for first in self._firsts.get(key, ()):
                self._followers[first].add(number)
                for merged in self._merged.get(first, ()):
                    merged.add(number)
        firsts = [key for key in keys if key in self._index]
        # Of one word its own set, which grows with the kinds that are still to come.
        followers = self._followers[firsts[0]] if len(firsts) == 1 else set()
        if len(firsts) > 1:
            for first in firsts:
                followers |= self._followers[first]
                self._merged[first].append(followers)
        reach = max([self._reach[first] for first in firsts], default=0)
        ordered = tuple([(each, alone[each]) for each in sorted(alone)])
        self._kinds.append(_Kind(keys, ordered, followers, reach))
        return number

    def _pair(self, kind: _Kind, second: int) -> list[_Longer]:
        """Longer phrases that begin with a word of a kind and one of the second kind, of that number."""
        phrases = {
            each.number: each
            for first in kind.keys
            if first in self._index
            for key in self._kinds[second].keys
            for each in self._index[first].get(key, ())
        }
        found = kind.pairs[second] = list(phrases.values())
        return found


def _follow(
    phrases: Sequence[_Longer], start: int, at: int, numbers: Sequence[int], found: dict[int, Found]
) -> None:
    """Add those phrases whose first two words are at ``start`` and ``at`` and whose others follow."""
    distance = at - start
    for number, payload, furthest, rest in phrases:
        if distance > furthest or number in found:
            continue
        if not rest:
            found[number] = Found(payload, (start, at))
            continue
        kinds, far = rest[0]
        if not kinds.isdisjoint(numbers[at + 1 : at + 1 + far]) and (behind := _behind(rest, 0, numbers, at)):
            found[number] = Found(payload, (start, at, *behind))


def _behind(
    steps: tuple[tuple[set[int], int], ...], at: int, numbers: Sequence[int], before: int
) -> tuple[int, ...]:
    """The positions of the words that follow ``before``, with the shortest gaps; empty if they do not."""
    kinds, furthest = steps[at]
    for place, number in enumerate(numbers[before + 1 : before + 1 + furthest], before + 1):
        if number in kinds:
            if at + 1 == len(steps):
                return (place,)
            if behind := _behind(steps, at + 1, numbers, place):
                return (place, *behind)
    return ()
