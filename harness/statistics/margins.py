"""Differences against a margin: equivalent, no worse by as much as that, or neither shown.

Whether two are equivalent the 90 % interval says: two one-sided tests at 5 % (Schuirmann 1987,
doi 10.1007/BF01068419). That one is no worse than the other the 95 % interval says: one such test at 2.5 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from ..core.errors import UserError
from ..scores.signatures import Better

SMALLEST = 0.1
"""Points: a smaller margin is taken for a share that was meant, such as 0.01 for one point. It would need a million
answers to show anything."""


@dataclass(frozen=True)
class Margin:
    """``points`` with the two-sided level of the interval that says no worse; equivalent is by twice that level."""

    points: float
    alpha: float = 0.05

    @property
    def levels(self) -> tuple[float, float]:
        """Of the interval that says no worse, and of the one that says equivalent."""
        return 1 - self.alpha, 1 - 2 * self.alpha


def as_margin(given: float | Margin) -> Margin:
    """A margin at the usual level, unless it says its own."""
    return given if isinstance(given, Margin) else Margin(given)


class Shown(StrEnum):
    """What a difference shows against its margin."""

    EQUIVALENT = "equivalent"
    NO_WORSE = "no worse"
    WORSE = "worse"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True)
class AgainstMargin:
    """One difference against ``points`` of its metric.

    Attributes:
        low, high: its 90 % interval; None where there is none.
        equivalent: whether that lies within the margin on both sides.
        no_worse: whether the 95 % interval does on the worse side; None where no side is worse.
        shown: the strongest of both; ``worse`` where the 95 % interval lies beyond the margin on the worse side.
        alpha: two-sided; a declared analysis of several tests has less than 0.05, and intervals longer than these.
    """

    points: float
    low: float | None
    high: float | None
    equivalent: bool
    no_worse: bool | None
    shown: Shown
    alpha: float = 0.05

    @property
    def margin(self) -> Margin:
        """What it was judged against."""
        return Margin(self.points, self.alpha)


def checked_margin(given: str | float, where: str = "") -> float:
    """A margin in percentage points.

    Args:
        given: as it was written.
        where: the option or the key of a file that it stands in, as in ``--margin m=1``; it is named first.

    Raises:
        UserError: it is no number, negative, or so small or large that it must have another unit.
    """
    prefix = f"{where}: " if where else ""
    remedy = "Give points of a score from 0 to 100, such as 1"
    try:
        margin = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        margin = math.nan
    if math.isnan(margin):
        raise UserError(f"{prefix}a margin of {given} is no number", remedy)
    if not (math.isfinite(margin) and margin > 0):
        raise UserError(f"{prefix}a margin of {margin:g} is not above 0 and finite", remedy)
    if margin < SMALLEST:
        raise UserError(
            f"{prefix}a margin of {margin:g} reads as a share; margins are in percentage points",
            f"Write {100 * margin:g} for {100 * margin:g} points; the least is {SMALLEST:g}",
        )
    if margin >= 100:
        raise UserError(f"{prefix}a margin of {margin:g} holds for any two scores from 0 to 100", remedy)
    return margin


def against_margin(
    margin: float | Margin,
    better: Better,
    ends: tuple[float | None, float | None],
    narrow: tuple[float | None, float | None],
) -> AgainstMargin:
    """Judge a difference against a margin.

    Args:
        margin: in percentage points, above 0.
        better: which way the metric improves.
        ends, narrow: the difference's intervals at both ``levels`` of the margin.
    """
    low, high = narrow
    limit, alpha = as_margin(margin).points, as_margin(margin).alpha
    equivalent = low is not None and high is not None and -limit < low and high < limit
    worst, best = _by_worth(better, ends)
    no_worse = None if better is Better.NEITHER else worst is not None and worst > -limit
    shown = Shown.NOT_SHOWN
    if equivalent:
        shown = Shown.EQUIVALENT
    elif no_worse:
        shown = Shown.NO_WORSE
    elif best is not None and best <= -limit and better is not Better.NEITHER:
        shown = Shown.WORSE
    return AgainstMargin(limit, low, high, equivalent, no_worse, shown, alpha)


def _by_worth(better: Better, ends: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """The worst and the best difference of an interval, positive for better."""
    low, high = ends
    if low is None or high is None:
        return None, None
    return (-high, -low) if better is Better.LOWER else (low, high)
