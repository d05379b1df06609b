"""Which lexicon entries a complaint's words support: negation, time and intensity decide what a phrase is worth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ...languages import Language
from ...languages.clauses import Clause, clauses, clauses_of_each
from ...languages.phrases import Found, Patterns
from ...severity import SEVERITIES, Severity
from .cues import Cue, Cues, gap_holds, kind_of, of_the_list, sort_cues
from .lexicon import Entry, Lexicon, Modifier, Sign

_BY_RANK = tuple(sorted(SEVERITIES, key=lambda severity: severity.rank))


_DIGIT = re.compile(r"\d")
_GLUED = re.compile(r"\b(\d+)(?=[^\W\d_])|([^\W\d_\x00-\x7f])(?=\d)")
"""A number and the word that is written with it: "3days"; no name such as "B12" or "G6PD" is cut."""


class Verdict(StrEnum):
    """``fires`` counts; ``negated`` and ``covered`` (inside a longer phrase) do not."""

    FIRES = "fires"
    NEGATED = "negated"
    COVERED = "covered"


_FIRES, _NEGATED, _COVERED = Verdict


class Finding(NamedTuple):
    """One phrase of one entry in a complaint, with all that decided about it.

    ``clause`` counts clauses; ``start`` and ``end`` are positions of words in it, ``end`` after the last.
    """

    entry: Entry
    words: str
    verdict: Verdict
    negator: str
    because: str
    modifiers: tuple[str, ...]
    severity: Severity
    clause: int = 0
    start: int = 0
    end: int = 0

    @property
    def red_flag(self) -> bool:
        """Whether it is a red flag that still stands as critical."""
        return self.verdict is Verdict.FIRES and self.entry.red_flag and self.severity is Severity.CRITICAL


@dataclass(frozen=True)
class Mark:
    """A phrase that tells about the findings around it (a question, a time): ``name`` says what."""

    name: str


@dataclass(frozen=True)
class Reading:
    """What a text holds: its clauses, its findings, and the marks by name with their clause and first word."""

    clauses: list[Clause]
    findings: list[Finding]
    marks: dict[str, list[tuple[int, int]]]


class Finder:
    """Finds the entries of a lexicon in complaints.

    Args:
        signs: further entries, which neither cover the lexicon's nor are covered by them.
        marks: phrases by the name of their mark.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        language: Language,
        signs: Sequence[Sign] = (),
        marks: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._language = language
        self._window = lexicon.rules.negation.window
        self._verbal_window = lexicon.rules.negation.verbal_window
        modifiers = lexicon.rules.modifiers
        longest = max((len(phrase.split()) for modifier in modifiers for phrase in modifier.phrases), default=0)
        # A gap in a modifier's phrase may be two words long.
        self._reach = 2 * longest + max((max(item.before, item.after) for item in modifiers), default=0)
        self._patterns = Patterns(lexicon.rules.clitics, language)
        for entry in (*lexicon.entries, *signs):
            for phrase in entry.phrases:
                self._patterns.add(phrase, entry, cue=False)
        negation = lexicon.rules.negation
        for cue, phrases in (
            (Cue.NEGATOR, negation.negators),
            (Cue.NOT_NEGATOR, negation.not_negators),
            (Cue.AFTER, negation.after),
            (Cue.BREAKER, negation.breakers),
            (Cue.JOINER, negation.joiners),
            (Cue.VERBAL, negation.verbal),
            (Cue.CARRIER, negation.carriers),
            (Cue.LIST_JOINER, negation.list_joiners),
            (Cue.WALL, lexicon.rules.walls),
        ):
            for phrase in phrases:
                self._patterns.add(phrase, cue, cue=True)
        for modifier in modifiers:
            for phrase in modifier.phrases:
                self._patterns.add(phrase, modifier, cue=True)
        for name, wordings in (marks or {}).items():
            for phrase in wordings:
                self._patterns.add(phrase, Mark(name), cue=True)

    def find(self, text: str) -> list[Finding]:
        """Every finding in a text, those that do not count included, in reading order."""
        return self.read(text).findings

    def read(self, text: str) -> Reading:
        """All that a text holds, in reading order."""
        return self._reading(clauses(_apart(text), self._language))

    def read_each(self, texts: Sequence[str]) -> Iterator[Reading]:
        """``read`` of each of the texts, for less."""
        return map(self._reading, clauses_of_each(list(map(_apart, texts)), self._language))

    def _reading(self, every: list[Clause]) -> Reading:
        reading = Reading(every, [], {})
        for number, clause in enumerate(reading.clauses):
            matches, cues = [], []
            for item in self._patterns.find(clause):
                # By the very type: isinstance() is slow for records, and this is asked of all that is found.
                kind = type(item[0])
                if kind is Sign or kind is Entry:
                    matches.append(item)
                elif kind is Mark:
                    reading.marks.setdefault(item[0].name, []).append((number, item.start))
                else:
                    cues.append(item)
            if matches:
                reading.findings.extend(self._in_clause(number, clause, matches, cues))
        return reading

    def _in_clause(self, number: int, clause: Clause, matches: list[Found], heard: list[Found]) -> list[Finding]:
        cues = sort_cues(heard, matches)
        if cues.negators:
            matches = [item for item in matches if len(item[1]) == 1 or not gap_holds(item, cues)]
        words = clause.words
        findings = []
        # Where a joiner ties what follows to a negated finding.
        tied: dict[int, str] = {}
        negates = bool(cues.negators or cues.after)
        for item, inside in zip(matches, _covered(matches), strict=True):
            entry, positions = item
            start, end = positions[0], positions[-1] + 1
            negator = ""
            # What denies by its own first word ("does not wake") is not denied by the word before.
            if negates and not (start in cues.negating and type(entry) is Sign):
                negator = self._negator(start, end, clause, cues) or tied.get(start - 1, "")
                if negator and end in cues.joiners:
                    tied[end] = negator
            verdict = _NEGATED if negator else _COVERED if inside else _FIRES
            near = self._modifiers(item, cues) if cues.modifiers else None
            # By position: so many are made that names would cost.
            findings.append(
                Finding(
                    entry,
                    words[start] if len(positions) == 1 else " ".join([words[at] for at in positions]),
                    verdict,
                    negator,
                    "a longer phrase covers it" if verdict is _COVERED else entry.reason,
                    tuple([modifier.name for modifier in near]) if near else (),
                    _moved(entry, near) if near else entry.severity,
                    number,
                    start,
                    end,
                )
            )
        return findings

    def _negator(self, start: int, after: int, clause: Clause, cues: Cues) -> str:
        """The words that negate a match, or an empty text."""
        ends, nearest = cues.negators_by_end, start - self._window
        # All of a few, from the last; of many those that may reach.
        for end in reversed(cues.ends) if len(ends) < self._window else range(start, nearest, -1):
            if not nearest < end <= start or (negator := ends.get(end)) is None:
                continue
            verbal = (negator.start, end) in cues.verbal and end not in cues.carriers
            if verbal and start - end >= self._verbal_window:
                continue
            # A verb right after the negator belongs to it ("I do not feel"); alone it begins a new statement.
            between = range(end + 1, start)
            if cues.breakers.isdisjoint(between) and clause.breaks.isdisjoint(range(end, start + 1)):
                return " ".join(clause.words[negator.start : end])
        if cues.list_joiners and (listed := of_the_list(start, clause, cues)):
            return " ".join(clause.words[listed.start : listed.end])
        cue = cues.after.get(after) if cues.after else None
        if cue and (cue.end == len(clause.words) or cue.end in clause.breaks or cue.end in cues.breakers):
            return " ".join(clause.words[cue.start : cue.end])
        return ""

    def _modifiers(self, item: Found, cues: Cues) -> list[Modifier]:
        near: dict[str, Modifier] = {}
        first, end = item.start, item.end
        # All of a short clause; of a long one those that may reach.
        starts = (
            cues.modifiers if len(cues.modifiers) < self._reach else range(first - self._reach, end + self._reach)
        )
        for start in starts:
            for cue in cues.modifiers.get(start, ()):
                modifier: Modifier = cue.payload
                if not (cue.end > first - modifier.before and start < end + modifier.after):
                    continue
                between = range(cue.end, first) if start < first else range(end, start)
                walled = modifier.shift < 0 and cues.walls and not cues.walls.isdisjoint(between)
                if not walled and start not in item.positions:
                    near[modifier.name] = modifier
        return list(near.values())


def _apart(text: str) -> str:
    if not _DIGIT.search(text):
        return text
    # Twice, since a number may have words on both sides.
    return _GLUED.sub(r"\1\2 ", _GLUED.sub(r"\1\2 ", text))


def _covered(matches: list[Found]) -> list[bool]:
    """Whether a longer phrase of the same kind holds all words of a match, for each; conditions stand alone."""
    # Only a phrase of several words can hold another.
    spans: dict[tuple[bool, int], list[frozenset[int]]] = {}
    for item in matches:
        if len(item[1]) > 1 and (kind := kind_of(item)) is not None:
            span = frozenset(item[1])
            for at in span:
                spans.setdefault((kind, at), []).append(span)
    if not spans:
        return [False] * len(matches)
    covered = []
    for item in matches:
        positions, kind = item[1], kind_of(item)
        near = None if kind is None else spans.get((kind, positions[0]))
        covered.append(
            near is not None and any(len(span) > len(positions) and span.issuperset(positions) for span in near)
        )
    return covered


def _moved(entry: Entry, modifiers: list[Modifier]) -> Severity:
    shift = sum(modifier.shift for modifier in modifiers if modifier.red_flags or not entry.red_flag)
    rank = min(2, max(0, entry.severity.rank + int(shift)))
    return _BY_RANK[rank]
