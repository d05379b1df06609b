"""Lines over steps on one plane, as coordinates for the SVG macro ``lines`` in ``charts.html``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..languages.sentences import run_on, sentence, together

_LEFT, _TOP, _WIDTH, _HEIGHT, _RIGHT = 64, 14, 560, 210, 200
_MOST_POINTS = 300
_KINDS = ("overall", "critical", "neutral", "non_critical", "muted")
_DASHES = ("", "6 3", "2 3")


@dataclass(frozen=True)
class Line:
    """One line: ``points`` are (step, value) in the order of the steps; ``kind`` a CSS class for its colour."""

    label: str
    points: Sequence[tuple[float, float]]
    kind: str = ""
    dash: str = ""


@dataclass(frozen=True)
class LineChart:
    """A picture ready to draw."""

    title: str
    lines: tuple[Line, ...]
    last_step: float
    low: float
    high: float
    left: int = _LEFT
    top: int = _TOP
    right: int = _LEFT + _WIDTH
    bottom: int = _TOP + _HEIGHT
    width: int = _LEFT + _WIDTH + _RIGHT

    def x(self, step: float) -> float:
        """Pixels from the left edge."""
        return round(_LEFT + step / (self.last_step or 1) * _WIDTH, 1)

    def y(self, value: float) -> float:
        """Pixels from the upper edge."""
        return round(_TOP + (self.high - value) / ((self.high - self.low) or 1) * _HEIGHT, 1)

    def path(self, line: Line) -> str:
        """The corners of a line, for ``points`` of an SVG polyline."""
        return " ".join(f"{self.x(step)},{self.y(value)}" for step, value in line.points)

    @property
    def ticks(self) -> list[float]:
        """Five heights from the lowest to the highest value."""
        return [self.low + (self.high - self.low) * part / 4 for part in range(5)]

    @property
    def words(self) -> str:
        """What the picture shows, for readers who cannot see it: where each line begins and ends."""
        ends = [
            sentence(
                "page.from_to",
                name=line.label,
                first=f"{line.points[0][1]:.4g}",
                begin=f"{line.points[0][0]:g}",
                last=f"{line.points[-1][1]:.4g}",
                end=f"{line.points[-1][0]:g}",
            )
            for line in self.lines
        ]
        return run_on(self.title, ": ", together(ends))


def line_chart(title: str, lines: Sequence[Line]) -> LineChart | None:
    """Lay out lines; None where none has a point. Of a long line every so many points are drawn, the last among
    them; what is no number is left out."""
    kept = [
        Line(line.label, found, line.kind or _KINDS[place % 5], line.dash or _DASHES[place // 5 % 3])
        for place, line in enumerate(lines)
        if (found := _thinned([point for point in line.points if math.isfinite(point[1])]))
    ]
    if not kept:
        return None
    values = [value for line in kept for _, value in line.points]
    last = max(step for line in kept for step, _ in line.points)
    return LineChart(title, tuple(kept), last, min(values), max(values))


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    every = math.ceil(len(points) / _MOST_POINTS) or 1
    found = list(points[::every])
    return found if not points or found[-1] == points[-1] else [*found, points[-1]]
