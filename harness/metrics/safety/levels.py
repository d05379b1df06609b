"""The levels of triage, and what an answer says of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from ...severity import Severity


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


class Standing(Enum):
    """How an action is meant."""

    DIRECT = "direct"
    CONDITIONAL = "conditional"
    NEGATED = "negated"


@dataclass(frozen=True)
class Action:
    """A destination, how it is meant, the lexicon's entry that names it, and the places of its words."""

    standing: Standing
    level: Level
    entry: str
    positions: tuple[int, ...]
