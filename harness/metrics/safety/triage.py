"""What an answer tells the asker to do: the level of its actions, and which are conditional or negated.

An action is a destination (hospital, doctor, test) that a directive or a time of now points to, or an emergency
department or ambulance however it is named. Urgent words without a destination are none, and neither is a story of
what others did.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import lru_cache

from ...languages import Language
from ...languages.phrases import Found, Patterns
from ...severity import Severity
from .cues import DESTINATIONS, Cues
from .lexicon import Kind, safety_lexicon
from .sentences import sentences


class Level(IntEnum):
    """The triage scale."""

    SELF_CARE = 0
    DOCTOR = 1
    EMERGENCY = 2


NEEDED = {
    Severity.CRITICAL: Level.EMERGENCY,
    Severity.NEUTRAL: Level.DOCTOR,
    Severity.NON_CRITICAL: Level.SELF_CARE,
}
"""The level that each severity calls for."""


@dataclass(frozen=True)
class Reading:
    """The strongest action of each standing in an answer; ``negated`` and ``conditional`` are None without one."""

    direct: Level
    conditional: Level | None
    negated: frozenset[Level]
    reassuring: bool

    @property
    def level(self) -> Level:
        """The strongest unconditional action; a conditional one counts one level lower."""
        lowered = Level(max(self.conditional - 1, 0)) if self.conditional is not None else Level.SELF_CARE
        return max(self.direct, lowered)

    @property
    def names_emergency(self) -> bool:
        """Whether it sends to an emergency department, be it on a condition."""
        return Level.EMERGENCY in (self.direct, self.conditional)

    def denies(self, severity: Severity) -> bool:
        """Whether it talks the asker out of an action that the severity calls for, or of the only one given.

        Sending somebody to an emergency department instead of a clinic denies nothing; neither does advising
        against the emergency department where a doctor is enough.
        """
        needed = NEEDED[severity]
        return any(level <= needed and self.direct <= level for level in self.negated)


class _Standing(Enum):
    DIRECT = "direct"
    CONDITIONAL = "conditional"
    NEGATED = "negated"


_CUES = frozenset({Kind.CONDITION, Kind.CONCESSION, Kind.UNLESS, Kind.TURN, Kind.STORY})


class TriageReader:
    """Reads answers with one language's lexicon."""

    def __init__(self, language: Language) -> None:
        lexicon = safety_lexicon(language)
        self._language = language
        self._windows = lexicon.rules.windows
        self._prefixes = lexicon.rules.clitics.cue_prefixes
        self._conjunctions = frozenset(lexicon.rules.conjunctions)
        self._patterns = Patterns(lexicon.rules.clitics, language)
        for entry in lexicon.entries:
            for phrase in entry.phrases:
                self._patterns.add(phrase, entry, cue=entry.kind in _CUES)
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def _read(self, text: str) -> Reading:
        actions: dict[_Standing, set[Level]] = defaultdict(set)
        reassuring = False
        for clause in sentences(text, self._language):
            cues = Cues(clause, self._patterns.find(clause), self._prefixes, self._conjunctions)
            for standing, level in self._actions(cues):
                actions[standing].add(level)
            reassuring = reassuring or bool(cues.starts[Kind.REASSURANCE])
        return Reading(
            direct=max(actions[_Standing.DIRECT], default=Level.SELF_CARE),
            conditional=max(actions[_Standing.CONDITIONAL], default=None),
            negated=frozenset(actions[_Standing.NEGATED]),
            reassuring=reassuring,
        )

    def _actions(self, cues: Cues) -> list[tuple[_Standing, Level]]:
        found = []
        for kind in DESTINATIONS:
            for item in cues.found[kind]:
                if self._negated(item, cues):
                    emergency = kind in (Kind.EMERGENCY, Kind.HOSPITAL, Kind.NEAREST)
                    found.append((_Standing.NEGATED, Level.EMERGENCY if emergency else Level.DOCTOR))
                elif self._directed(item, kind, cues):
                    conditional = self._conditional(item, cues)
                    level = self._level(item, kind, cues, conditional)
                    found.append((_Standing.CONDITIONAL if conditional else _Standing.DIRECT, level))
        return found

    def _negated(self, item: Found, cues: Cues) -> bool:
        for negator in cues.found[Kind.NEGATOR]:
            if negator.start <= item.start <= negator.end + self._windows.negator:
                between = range(negator.end, item.start)
                if not cues.any(Kind.TURN, between) and not cues.breaks_in(negator.end, item.start):
                    return True
        return any(
            item.end <= after.start <= item.end + self._windows.after_negator
            and not cues.breaks_in(item.end, after.start)
            and not cues.any_destination(range(item.end, after.start))
            for after in cues.found[Kind.AFTER_NEGATOR]
        )

    def _directed(self, item: Found, kind: Kind, cues: Cues) -> bool:
        before = range(max(0, item.start - self._windows.directive), item.end)
        if cues.any(Kind.STORY, range(item.start)):
            return False
        # An answer that names the emergency department sends there; one that opens with a test asks for it.
        named = kind in (Kind.EMERGENCY, Kind.VISIT) or (kind is Kind.TEST and cues.opens(item))
        if named or cues.any(Kind.DIRECTIVE, before):
            return True
        after = range(item.end, item.end + 2)
        return self._now(item, cues) or (
            cues.any(Kind.DIRECTIVE, after) and not cues.breaks_in(item.end, item.end + 1)
        )

    def _conditional(self, item: Found, cues: Cues) -> bool:
        for condition in cues.found[Kind.CONDITION]:
            if condition.start < item.start:
                if (
                    item.start - condition.end <= self._windows.condition
                    and not cues.any(Kind.UNLESS, range(condition.end, item.start))
                    and not (self._conjunctions and cues.closes(condition, item.start))
                ):
                    return True
            elif (
                condition.start - item.end <= self._windows.time_after
                and not cues.breaks_in(item.end, condition.start)
                and not cues.new_statement(range(item.end, condition.start + 1))
            ):
                return True
        return False

    def _level(self, item: Found, kind: Kind, cues: Cues, conditional: bool) -> Level:
        if kind in (Kind.EMERGENCY, Kind.NEAREST) or (kind is Kind.HOSPITAL and conditional):
            later = range(item.end, item.end + self._windows.time_after)
            put_off = cues.any(Kind.LATER, cues.segment(item.end, later))
            return Level.DOCTOR if put_off and not self._now(item, cues) else Level.EMERGENCY
        return Level.EMERGENCY if self._now(item, cues) else Level.DOCTOR

    def _now(self, item: Found, cues: Cues) -> bool:
        """A time of now right after the destination, or between its directive and it."""
        after = cues.segment(item.end, range(item.end, item.end + self._windows.time_after))
        if cues.any(Kind.NOW, after):
            return True
        return any(
            cues.any(Kind.NOW, range(start, item.start)) and not cues.breaks_in(start + 1, item.start)
            for start in cues.starts[Kind.DIRECTIVE] | cues.starts[Kind.VISIT]
            if 0 <= item.start - start <= self._windows.directive
        )


@lru_cache
def triage_reader(language: Language) -> TriageReader:
    """One reader per language and process: it remembers what it read."""
    return TriageReader(language)
