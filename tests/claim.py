"""A claim that a bench measures, and the line that it is printed as."""

from __future__ import annotations

from dataclasses import dataclass

HEADING = "claim | ours | reference | ratio | goal | holds"


@dataclass(frozen=True)
class Claim:
    """``ours`` and ``reference`` are figures in words; ``ratio`` is of the two, where one means something."""

    name: str
    ours: str
    reference: str
    goal: str
    holds: bool
    ratio: float | None = None

    def __str__(self) -> str:
        ratio = "-" if self.ratio is None else f"{self.ratio:.1f}"
        return " | ".join(
            (self.name, self.ours, self.reference, ratio, self.goal, "holds" if self.holds else "falls short")
        )
