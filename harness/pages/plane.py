"""Points on a square of two percentages, as coordinates for the SVG macro ``plane`` in ``charts.html``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LEFT, _TOP, _SIDE = 56, 22, 380
_LINE, _LETTER = 14, 7


@dataclass(frozen=True)
class PlanePoint:
    """A point at ``x`` and ``y`` percent; ``down_to`` draws a thin line from it to another y."""

    label: str
    x: float
    y: float
    down_to: float | None = None
    kind: str = ""


@dataclass(frozen=True)
class PlaneChart:
    """A picture ready to draw: ``curve`` are the corners of a line, ``chance`` those of a dashed one."""

    title: str
    x_label: str
    y_label: str
    points: tuple[PlanePoint, ...]
    curve: Sequence[tuple[float, float]]
    chance: Sequence[tuple[float, float]]
    left: int = _LEFT
    top: int = _TOP
    side: int = _SIDE
    ticks: tuple[int, ...] = (0, 25, 50, 75, 100)

    def x(self, value: float) -> float:
        """Pixels from the left edge."""
        return round(_LEFT + value / 100 * _SIDE, 1)

    def y(self, value: float) -> float:
        """Pixels from the upper edge."""
        return round(_TOP + (1 - value / 100) * _SIDE, 1)

    @property
    def labelled(self) -> list[tuple[PlanePoint, float, float]]:
        """Each point with the place of its label in pixels: beside it, and lower where another label is."""
        found: list[tuple[PlanePoint, float, float]] = []
        for point in self.points:
            at, down = self.x(point.x) + 9, self.y(point.y) - 6
            while any(
                abs(down - other) < _LINE and abs(at - beside) < _LETTER * max(len(point.label), len(each.label))
                for each, beside, other in found
            ):
                down += _LINE
            found.append((point, at, round(down, 1)))
        return found

    def path(self, corners: Sequence[tuple[float, float]]) -> str:
        """The corners of a line, for ``points`` of an SVG polyline."""
        return " ".join(f"{self.x(x)},{self.y(y)}" for x, y in corners)
