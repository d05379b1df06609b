"""The bracket of a mean difference where differences are skewed: wide enough on the side of the long tail.

Two runs that are exchangeable have symmetric differences, so flipped signs test "no difference" whatever the scores
look like. That the differences are also symmetric around some other δ is an assumption more, and false for scores
with many zeros and a long tail: the inverted sign-flip test then ends too early on the side of the tail and covers
85 to 91 % at n = 12. A δ other than 0 is therefore excluded only where Student's t with its skewness removed
excludes it too (Hall 1992, Journal of the Royal Statistical Society B 54:221, his transformation g1, which can be
inverted; with Student's quantiles as in Zhou and Gao 2000, The American Statistician 54:100). At 0 the sign-flip
test decides alone, so the bracket holds 0 exactly if the printed p is not below the level.

``make bench-validity`` prints what it covers.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .bootstrap import Floats

# Below it the transformation is the identity in all digits that are printed.
_STRAIGHT = 1e-6


def skew_corrected(changes: Floats, level: float) -> tuple[Floats, Floats]:
    """Hall's interval of the column means of ``changes`` (n, k), shape (k,) each; empty around the mean for n < 3
    and where nothing varies, so that it widens nothing."""
    n = len(changes)
    # Row by row, so that a column's sums do not depend on how many stand beside it.
    rows = np.ascontiguousarray(changes.T)
    means = rows.mean(axis=1)
    deviation = rows.std(axis=1, ddof=1) if n > 2 else np.zeros_like(means)
    varies = deviation > 0
    if not varies.any():
        return means, means
    scale = np.where(varies, deviation, 1.0)
    central = rows - means[:, None]
    # The sample skewness G1 (Joanes and Gill 1998, The Statistician 47:183).
    skewness = (central**3).mean(axis=1) / ((central**2).mean(axis=1) + ~varies) ** 1.5
    skewness *= (n * (n - 1)) ** 0.5 / (n - 2)
    bend = skewness / n**0.5
    quantile = float(special.stdtrit(n - 1, (1 + level) / 2))
    low, high = (means - scale / n**0.5 * _straightened(side * quantile, bend) for side in (1, -1))
    return np.where(varies, low, means), np.where(varies, high, means)


def widened(ends: tuple[Floats, Floats], changes: Floats, p: Floats, level: float) -> tuple[Floats, Floats]:
    """The ends of inverted sign-flip tests, drawn out to those of ``skew_corrected``, but not over 0 where p
    excludes it.

    Args:
        ends: shape (k,) each, from the test that p is from.
        changes: the differences, shape (n, k).
        p: of 0, shape (k,).
        level: of the interval.
    """
    low, high = skew_corrected(changes, level)
    excluded = p < round(1 - level, 12)
    above, below = excluded & (ends[0] > 0), excluded & (ends[1] < 0)
    low = np.where(above & (low <= 0), ends[0], np.minimum(ends[0], low))
    high = np.where(below & (high >= 0), ends[1], np.maximum(ends[1], high))
    return np.where(np.isinf(low), low, np.maximum(low, -100)), np.where(
        np.isinf(high), high, np.minimum(high, 100)
    )


def _straightened(quantile: float, bend: Floats) -> Floats:
    """The t whose transform is ``quantile``: t + bend t²/3 + bend² t³/27 + bend/6 = quantile."""
    curved = np.abs(bend) > _STRAIGHT
    safe = np.where(curved, bend, 1.0)
    inverse = 3 / safe * (np.cbrt(1 + safe * (quantile - safe / 6)) - 1)
    return np.where(curved, inverse, quantile - bend / 6)
