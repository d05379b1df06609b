"""The plain, slow way of reading texts, which the fast one must agree with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from maqa_severity.harness.languages.clauses import Clause
from maqa_severity.harness.languages.phrases import Patterns
from maqa_severity.harness.metrics.safety.polarity_reader import PolarityReader
from maqa_severity.harness.metrics.safety.sentences import sentences
from maqa_severity.harness.metrics.safety.statements import Sign

_REACH, _SHORT, _FEW = 4, 6, 3


def phrases(patterns: Patterns, clause: Clause) -> list[tuple[Any, tuple[int, ...]]]:
    """Every phrase tried at every word, gaps from the shortest."""
    keys = [patterns._keys(word) for word in clause.words]

    def rest(elements: tuple[frozenset[str], ...], at: int) -> tuple[int, ...] | None:
        if not elements:
            return ()
        if elements[0] == {"*"}:
            return next((found for skip in range(3) if (found := rest(elements[1:], at + skip)) is not None), None)
        if at >= len(keys) or not elements[0] & keys[at]:
            return None
        found = rest(elements[1:], at + 1)
        return None if found is None else (at, *found)

    return [
        (payload, found)
        for at in range(len(clause.words))
        for payload, elements in patterns._patterns
        if (found := rest(elements, at))
    ]


@dataclass(frozen=True)
class Statement:
    """A content word with all that is known of it, and its sentence's content words."""

    stem: str
    place: int
    sign: Sign
    first: bool
    reached: bool
    sentence: tuple[tuple[int, str], ...]

    @property
    def context(self) -> list[str]:
        """The content words near it."""
        return [stem for place, stem in self.sentence if 0 < abs(place - self.place) <= _REACH]


def statements(reader: PolarityReader, text: str) -> list[Statement]:
    """Every content word of a text, one by one."""
    return [each for clause in sentences(text, reader._language) for each in _of_clause(reader, clause)]


def _of_clause(reader: PolarityReader, clause: Clause) -> list[Statement]:
    tokens, found = clause.words, []
    sign, first, at, reach = Sign.ASSERTED, True, 0, 0
    while at < len(tokens):
        if at in clause.breaks:
            sign, first, reach = Sign.ASSERTED, True, 0
        if phrase := reader._phrase(tokens, at, reader._idle):
            at += len(phrase)
        elif phrase := reader._phrase(tokens, at, reader._negators):
            sign, at = reader._negators[phrase], at + len(phrase)
        elif tokens[at] in (reader._function_words if sign is Sign.ASSERTED else reader._passed_over):
            at += 1
        else:
            verb = reader.fused(tokens[at]) or (reader._apart(tokens[at]) if sign is Sign.DENIED else None)
            own = Sign.DENIED if verb else sign
            reached = own is Sign.ASSERTED and at < reach
            found.append((reader.root(verb or tokens[at]), clause.offset + at, own, first, reached))
            reach = reach if own is Sign.ASSERTED else at + 1 + _REACH
            sign, first, at = Sign.ASSERTED, False, at + 1
    if reader._limits.intersection(tokens):
        found = [(stem, place, Sign.ASSERTED, begins, True) for stem, place, _, begins, _ in found]
    sentence = tuple((place, stem) for stem, place, *_ in found)
    return [Statement(*each, sentence) for each in found]


def turned(denying: list[Statement], asserting: list[Statement]) -> Iterator[tuple[int, int]]:
    """The places of what one text denies and the other asserts."""
    denied = [other for other in asserting if other.sign is not Sign.ASSERTED]
    brief = max(len(denying), len(asserting)) <= _SHORT or len(denying) <= _FEW
    for one in denying:
        if one.sign is Sign.ASSERTED or any(_alike(one.stem, other.stem) for other in denied):
            continue
        if any(_alike(word, other.stem) for word in one.context for other in denied):
            continue
        for other in asserting:
            told = _alike(one.stem, other.stem) and not other.reached
            if (
                told
                and (one.sign is Sign.DENIED or not other.first)
                and (_near(one, other) or (brief and not one.context))
            ):
                yield one.place, other.place
                break


def _near(one: Statement, other: Statement) -> bool:
    return any(_alike(word, there) for word in one.context for there in other.context)


def _alike(one: str, other: str) -> bool:
    return (one.startswith(other) or other.startswith(one)) and (one == other or abs(len(one) - len(other)) <= 2)
