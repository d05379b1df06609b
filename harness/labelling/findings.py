"""Which lexicon entries a complaint's words support: negation, time and intensity decide what a phrase is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..severity import SEVERITIES, Severity
from .lexicon import Entry, Lexicon, Modifier
from .patterns import Clause, Found, Patterns, clauses


class Verdict(StrEnum):
    """``fires`` counts; ``negated`` and ``covered`` (inside a longer phrase) do not."""

    FIRES = "fires"
    NEGATED = "negated"
    COVERED = "covered"


@dataclass(frozen=True)
class Finding:
    """One phrase of one entry in a complaint, with all that decided about it."""

    entry: Entry
    words: str
    verdict: Verdict
    negator: str
    because: str
    modifiers: tuple[str, ...]
    severity: Severity

    @property
    def red_flag(self) -> bool:
        """Whether it is a red flag that still stands as critical."""
        return self.verdict is Verdict.FIRES and self.entry.red_flag and self.severity is Severity.CRITICAL


class Cue(StrEnum):
    """What a phrase of the rules does."""

    NEGATOR = "negator"
    NOT_NEGATOR = "not_negator"
    AFTER = "after"
    BREAKER = "breaker"
    JOINER = "joiner"


@dataclass
class _Cues:
    negators: list[Found] = field(default_factory=list)
    after: list[Found] = field(default_factory=list)
    breakers: set[int] = field(default_factory=set)
    joiners: set[int] = field(default_factory=set)
    modifiers: list[Found] = field(default_factory=list)


class Finder:
    """Finds the entries of a lexicon in complaints."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._window = lexicon.rules.negation.window
        self._patterns = Patterns(lexicon.rules.clitics)
        for entry in lexicon.entries:
            for phrase in entry.phrases:
                self._patterns.add(phrase, entry, cue=False)
        negation = lexicon.rules.negation
        for cue, phrases in (
            (Cue.NEGATOR, negation.negators),
            (Cue.NOT_NEGATOR, negation.not_negators),
            (Cue.AFTER, negation.after),
            (Cue.BREAKER, negation.breakers),
            (Cue.JOINER, negation.joiners),
        ):
            for phrase in phrases:
                self._patterns.add(phrase, cue, cue=True)
        for modifier in lexicon.rules.modifiers:
            for phrase in modifier.phrases:
                self._patterns.add(phrase, modifier, cue=True)

    def find(self, text: str) -> list[Finding]:
        """Every finding in a text, those that do not count included, in reading order."""
        return [finding for clause in clauses(text) for finding in self._in_clause(clause)]

    def _in_clause(self, clause: Clause) -> list[Finding]:
        found = list(self._patterns.find(clause))
        matches = [item for item in found if isinstance(item.payload, Entry)]
        if not matches:
            return []
        cues = _sort_cues(found, matches)
        matches = [item for item in matches if not _gap_holds(item, cues.negators)]
        spans = {id(item): frozenset(item.positions) for item in matches}
        longer = [span for span in spans.values() if len(span) > 1]
        findings = []
        # Where a joiner ties what follows to a negated finding.
        negated: dict[int, str] = {}
        for item in matches:
            span = spans[id(item)]
            negator = self._negator(item, clause, cues) or negated.get(item.start - 1, "")
            if negator and item.end in cues.joiners:
                negated[item.end] = negator
            covered = any(span < other for other in longer)
            verdict = Verdict.NEGATED if negator else Verdict.COVERED if covered else Verdict.FIRES
            near = _modifiers(item, cues)
            findings.append(
                Finding(
                    entry=item.payload,
                    words=" ".join(clause.words[at] for at in item.positions),
                    verdict=verdict,
                    negator=negator,
                    because="a longer phrase covers it" if verdict is Verdict.COVERED else item.payload.reason,
                    modifiers=tuple(modifier.name for modifier in near),
                    severity=_moved(item.payload, near),
                )
            )
        return findings

    def _negator(self, item: Found, clause: Clause, cues: _Cues) -> str:
        """The words that negate a match, or an empty text."""
        for negator in cues.negators:
            distance = item.start - negator.end
            if not 0 <= distance < self._window:
                continue
            # A verb right after the negator belongs to it ("I do not feel"); alone it begins a new statement.
            between = range(negator.end + 1, item.start)
            if cues.breakers.isdisjoint(between) and clause.breaks.isdisjoint(range(negator.end, item.start + 1)):
                return " ".join(clause.words[negator.start : negator.end])
        for cue in cues.after:
            closes = cue.end == len(clause.words) or cue.end in clause.breaks or cue.end in cues.breakers
            if cue.start == item.end and closes:
                return " ".join(clause.words[cue.start : cue.end])
        return ""


def _sort_cues(found: list[Found], matches: list[Found]) -> _Cues:
    cues = _Cues()
    own = {at for item in matches for at in item.positions}
    idle = {at for item in found if item.payload is Cue.NOT_NEGATOR for at in range(item.start, item.end)}
    negators = [item for item in found if item.payload is Cue.NEGATOR and item.start not in own | idle]
    cues.negators = _longest(negators)
    after_negator = {item.end for item in cues.negators}
    for item in found:
        if item.payload is Cue.AFTER:
            cues.after.append(item)
        elif item.payload is Cue.BREAKER:
            cues.breakers.add(item.start)
        elif item.payload is Cue.JOINER:
            cues.joiners.add(item.start)
        elif isinstance(item.payload, Modifier) and item.start not in idle | after_negator:
            cues.modifiers.append(item)
    return cues


def _longest(items: list[Found]) -> list[Found]:
    ends: dict[int, Found] = {}
    for item in items:
        if item.start not in ends or item.end > ends[item.start].end:
            ends[item.start] = item
    return list(ends.values())


def _gap_holds(item: Found, negators: list[Found]) -> bool:
    gap = set(range(item.start, item.end)) - set(item.positions)
    return any(negator.start in gap for negator in negators)


def _modifiers(item: Found, cues: _Cues) -> list[Modifier]:
    near: dict[str, Modifier] = {}
    for cue in cues.modifiers:
        modifier: Modifier = cue.payload
        reaches = cue.end > item.start - modifier.before and cue.start < item.end + modifier.after
        if reaches and cue.start not in item.positions:
            near[modifier.name] = modifier
    return list(near.values())


def _moved(entry: Entry, modifiers: list[Modifier]) -> Severity:
    shift = sum(modifier.shift for modifier in modifiers if modifier.red_flags or not entry.red_flag)
    rank = min(2, max(0, entry.severity.rank + int(shift)))
    return next(severity for severity in SEVERITIES if severity.rank == rank)
