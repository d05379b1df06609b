"""What can be said where no test can say anything: bounds that hold whatever the scores look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .bootstrap import Floats
from .intervals import LEVEL


@dataclass(frozen=True)
class ExactBound:
    """Shares of all such answers, in percent: at most ``rising`` rise, at most ``falling`` fall, with 97.5 %
    confidence each."""

    rising: float
    falling: float


def at_most(events: Floats | int, n: int, level: float = LEVEL) -> Floats:
    """Clopper and Pearson's 1934 upper end of a rate (doi 10.1093/biomet/26.4.404), in percent: that of their
    two-sided interval, so that alone it has a confidence of (1 + level) / 2."""
    events = np.asarray(events, dtype=np.float64)
    spare = np.maximum(n - events, 1)
    found: Floats = np.where(events < n, 100 * special.betaincinv(events + 1, spare, (1 + level) / 2), 100.0)
    return found


def exact_bound(changes: Floats) -> ExactBound:
    """The bound from differences, shape (n,)."""
    rose, fell = (float(at_most(int((side * changes > 0).sum()), len(changes))) for side in (1, -1))
    return ExactBound(rose, fell)


def exact_ends(changes: Floats, level: float) -> tuple[Floats, Floats]:
    """Interval of the means of differences (n, k), in points, shape (k,) each: all that may fall fall by 100, and
    likewise up. It always holds 0."""
    return -at_most((changes < 0).sum(axis=0), len(changes), level), at_most(
        (changes > 0).sum(axis=0), len(changes), level
    )


def around(change: float, n: int, level: float) -> tuple[float, float]:
    """Interval of the mean of n differences that are all ``change``: so many others may hide as ``at_most`` says of
    none in n, each off by 100 points."""
    hidden = float(at_most(0, n, level))
    return max(change - hidden, -100.0), min(change + hidden, 100.0)


def mcnemar(first: int, second: int) -> float:
    """Two-sided exact p of McNemar 1947: that pairs which differ fall as unevenly as ``first`` to ``second``."""
    return min(1.0, 2 * float(special.bdtr(min(first, second), first + second, 0.5))) if first + second else 1.0
