"""Named points with intervals on two axes, as coordinates for the SVG macro ``scatter`` in ``charts.html``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .charts import Axis, IntervalRow, axis_of

_LEFT, _TOP, _WIDTH, _HEIGHT, _RIGHT = 64, 16, 420, 300, 220
_LINE = 14


@dataclass(frozen=True)
class ScatterPoint:
    """A point; ``across`` is its interval on the x axis and ``up`` that on the y axis, where they have one."""

    label: str
    x: float
    y: float
    across: tuple[float, float] | None = None
    up: tuple[float, float] | None = None
    kind: str = ""


@dataclass(frozen=True)
class ScatterChart:
    """A picture ready to draw; ``path`` are the corners of a line through some of the points."""

    title: str
    x_label: str
    y_label: str
    points: tuple[ScatterPoint, ...]
    path: tuple[tuple[float, float], ...]
    x_axis: Axis
    y_axis: Axis
    left: int = _LEFT
    top: int = _TOP
    right: int = _LEFT + _WIDTH
    bottom: int = _TOP + _HEIGHT
    width: int = _LEFT + _WIDTH + _RIGHT

    def x(self, value: float) -> float:
        """Pixels from the left edge."""
        return round(_LEFT + self.x_axis.share(value) * _WIDTH, 1)

    def y(self, value: float) -> float:
        """Pixels from the upper edge."""
        return round(_TOP + (1 - self.y_axis.share(value)) * _HEIGHT, 1)

    @property
    def corners(self) -> str:
        """The line, for ``points`` of an SVG polyline."""
        return " ".join(f"{self.x(x)},{self.y(y)}" for x, y in self.path)

    @property
    def labelled(self) -> list[tuple[ScatterPoint, float]]:
        """Each point with the height of its label in pixels: beside it, and lower where another label is."""
        found: list[tuple[ScatterPoint, float]] = []
        for point in sorted(self.points, key=lambda each: (self.y(each.y), each.label)):
            down = self.y(point.y) - 6
            if found and down - found[-1][1] < _LINE:
                down = found[-1][1] + _LINE
            found.append((point, round(down, 1)))
        return found


def scatter_chart(
    title: str, x_label: str, y_label: str, points: Sequence[ScatterPoint], path: Sequence[tuple[float, float]] = ()
) -> ScatterChart:
    """Lay out points, at least one; the axes hold them with their intervals."""
    x_rows = [IntervalRow("", each.x, *(each.across or (None, None))) for each in points]
    y_rows = [IntervalRow("", each.y, *(each.up or (None, None))) for each in points]
    return ScatterChart(title, x_label, y_label, tuple(points), tuple(path), axis_of(x_rows), axis_of(y_rows))
