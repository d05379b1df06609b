"""Phrases over the words of a text, found in time linear in the text: phrases are indexed by their first word."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
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


class _Known(NamedTuple):
    """A word of a text: the pattern words that it can be, the phrases that it is by itself, and those it begins."""

    keys: tuple[str, ...]
    alone: tuple[int, ...]
    beginnings: tuple[dict[str, list[int]], ...]


_UNKNOWN = _Known((), (), ())
"""What most words are."""


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
        # Numbers of the phrases of one word by it; of longer ones by their first word, then by their second.
        self._alone: dict[str, list[int]] = defaultdict(list)
        self._index: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        # How far the second word of a phrase may stand from its first.
        self._reach = 1
        self._known = lru_cache(maxsize=1 << 18)(self._look_up)
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
        solid = [element for element in elements if element is not _GAP]
        if len(solid) > 1:
            gaps = next(at for at, element in enumerate(elements[1:]) if element is not _GAP)
            self._reach = max(self._reach, 1 + gaps * _LONGEST_GAP)
        for word in elements[0]:
            if len(solid) == 1:
                self._alone[word].append(len(self._patterns))
            else:
                for second in solid[1]:
                    self._index[word][second].append(len(self._patterns))
        self._patterns.append((payload, tuple(elements)))
        self._known.cache_clear()

    def find(self, clause: Clause) -> Iterator[Found]:
        """All phrases in a clause, each start once per phrase with its shortest gaps."""
        known = list(map(self._known, clause.words))
        starts = [start for start, each in enumerate(known) if each.alone or each.beginnings]
        keys = [each.keys for each in known] if starts else []
        for start in starts:
            each = known[start]
            numbers: set[int] = set()
            for following in keys[start + 1 : start + 1 + self._reach] if each.beginnings else ():
                for key in following:
                    for seconds in each.beginnings:
                        if key in seconds:
                            numbers.update(seconds[key])
            if not numbers:
                yield from [Found(self._patterns[number][0], (start,)) for number in each.alone]
                continue
            # Sorted, so that the order of what is found is no accident of hashing.
            for number in sorted(numbers.union(each.alone)):
                payload, elements = self._patterns[number]
                positions = _match(elements, 1, keys, start + 1)
                if positions is not None:
                    yield Found(payload, (start, *positions))

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
            tuple(self._index[key] for key in found if key in self._index),
        )


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


def _match(
    elements: tuple[frozenset[str], ...], at: int, keys: Sequence[tuple[str, ...]], position: int
) -> tuple[int, ...] | None:
    if at == len(elements):
        return ()
    if elements[at] is _GAP:
        for skipped in range(_LONGEST_GAP + 1):
            rest = _match(elements, at + 1, keys, position + skipped)
            if rest is not None:
                return rest
        return None
    if position >= len(keys) or elements[at].isdisjoint(keys[position]):
        return None
    rest = _match(elements, at + 1, keys, position + 1)
    return None if rest is None else (position, *rest)
