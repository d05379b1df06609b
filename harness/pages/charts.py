"""Dots with intervals on a shared axis, as coordinates for the SVG macro in ``charts.html``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LEFT, _WIDTH, _RIGHT, _ROW = 250, 480, 90, 26
_SMALL, _SMALL_EDGE, _SMALL_ROW = 312, 16, 42
"""Of the same picture on a narrow screen, where a label stands above its interval."""


@dataclass(frozen=True)
class IntervalRow:
    """One dot: ``label`` at the left, ``mean`` with its interval (absent for n < 2), a CSS class for its colour."""

    label: str
    mean: float
    low: float | None
    high: float | None
    kind: str = ""


@dataclass(frozen=True)
class Axis:
    """Ticks in data units, and the map from data units to pixels."""

    start: float
    stop: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """How far along the axis a value lies, from 0 to 1."""
        return (value - self.start) / (self.stop - self.start)

    def x(self, value: float) -> float:
        """Pixels from the left edge of the picture."""
        return round(_LEFT + self.share(value) * _WIDTH, 1)

    def small_x(self, value: float) -> float:
        """The same in the picture for a narrow screen."""
        return round(_SMALL_EDGE + self.share(value) * (_SMALL - 2 * _SMALL_EDGE), 1)


@dataclass(frozen=True)
class IntervalChart:
    """A picture ready to draw."""

    title: str
    axis: Axis
    rows: tuple[IntervalRow, ...]
    zero: bool
    digits: int = 2
    row_height: int = _ROW
    left: int = _LEFT
    small_row: int = _SMALL_ROW
    small_width: int = _SMALL

    @property
    def width(self) -> int:
        return _LEFT + _WIDTH + _RIGHT

    @property
    def height(self) -> int:
        return len(self.rows) * _ROW + 34

    @property
    def small_height(self) -> int:
        return len(self.rows) * _SMALL_ROW + 30


def interval_chart(
    title: str, rows: Sequence[IntervalRow], zero: bool = False, axis: Axis | None = None, digits: int = 2
) -> IntervalChart:
    """Lay out dots with intervals.

    Args:
        title: what the picture shows, for readers who cannot see it.
        rows: from top to bottom, at least one.
        zero: whether the axis must show zero, as for differences.
        axis: one that several pictures share, so that they can be compared; else one that fits the rows.
        digits: decimals of the numbers beside the dots.
    """
    return IntervalChart(title, axis or axis_of(rows, zero), tuple(rows), zero, digits)


def axis_of(rows: Sequence[IntervalRow], zero: bool = False) -> Axis:
    """An axis on which all rows have their place, with round ticks."""
    values = [value for row in rows for value in (row.mean, row.low, row.high) if value is not None]
    values += [0.0] if zero else []
    return _axis(min(values), max(values))


def _axis(low: float, high: float) -> Axis:
    span = max(high - low, 1.0)
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 6)
    start, stop = math.floor(low / step) * step, math.ceil(high / step) * step
    if stop == start:
        stop += step
    count = round((stop - start) / step)
    return Axis(start, stop, tuple(round(start + step * index, 6) for index in range(count + 1)))
