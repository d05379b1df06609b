"""The interval of a minimum over severities, whose own bootstrap leans down wherever two are nearly the lowest.

Intersection bounds (Chernozhukov, Lee and Rosen 2013, doi 10.3982/ECTA8718): the minimum is above no severity's
mean, and is one of them. So

- it is not below the lowest of the severities' lower ends, each one-sided at 2.5 %: its own matters
  (intersection-union; Berger 1982, doi 10.1080/00401706.1982.10487790);
- it is not above the lowest of their upper ends, all at once at 2.5 % (Šidák, as severities are independent).

Severities that are clearly not the lowest leave both first, as in the paper's inequality selection: those further
above another than Student's quantile of 0.9995 (of as many answers as the smaller severity has) times the standard
error of the difference. Where a single one is left, its own interval is the
minimum's. Of two paired runs, the second's minimum minus the first's is at least the change of the second's lowest
severity, and at most the change of the first's lowest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from ..statistics.bootstrap import Floats, Resampled, Together
from ..statistics.clusters import Ints, variance_of_mean
from ..statistics.intervals import LEVEL, bca

_CLEARLY = 0.9995


def could_be_lowest(samples: Sequence[Floats], clusters: Sequence[Ints | None]) -> npt.NDArray[np.bool_]:
    """Which severities are not clearly above another, shape (severities, k), of scores (n_s, k), n_s at least 2,
    and the cluster of each answer."""
    means = np.array([sample.mean(axis=0) for sample in samples])
    squares = np.array([variance_of_mean(*each) for each in zip(samples, clusters, strict=True)])
    above = means[:, None] - means[None, :]
    sizes = np.array([len(sample) for sample in samples])
    far = special.stdtrit(np.minimum(sizes[:, None], sizes) - 1, _CLEARLY)
    within = above <= far[:, :, None] * np.sqrt(squares[:, None] + squares[None, :])
    found: npt.NDArray[np.bool_] = within.all(axis=1) | (means == means.min(axis=0))
    return found


def minimum(parts: Resampled) -> tuple[Floats, Floats]:
    """Interval of the lowest severity's mean, shape (k,) each; NaN where no severity that could be it varies."""
    together = parts.together
    clusters = together.clusters if together else [None] * len(parts.samples)
    left = could_be_lowest(parts.samples, clusters)
    means = np.array([sample.mean(axis=0) for sample in parts.samples])
    counts = left.sum(axis=0)
    low, high = (np.full(means.shape, np.nan) for _ in range(2))
    for count in np.unique(counts):
        chosen = np.flatnonzero(counts == count)
        level = 1 - 2 * (1 - ((1 + LEVEL) / 2) ** (1 / count))
        for place, (sample, resampled) in enumerate(zip(parts.samples, parts.means, strict=True)):
            rows = [(sample[:, chosen] - means[place, chosen]) / len(sample)]
            if together:
                rows = Together([together.clusters[place]], together.pieces).sums(rows)
            low[place, chosen] = bca(means[place, chosen], resampled[chosen], rows)[0]
            high[place, chosen] = bca(means[place, chosen], resampled[chosen], rows, level=level)[1]
    fixed = (np.isnan(low) | ~left).all(axis=0)
    ends = [np.where(left, np.where(np.isnan(end), means, end), np.inf).min(axis=0) for end in (low, high)]
    return np.where(fixed, np.nan, ends[0]), np.where(fixed, np.nan, ends[1])


def change_of_minimum(
    first: Sequence[Floats],
    second: Sequence[Floats],
    clusters: Sequence[Ints | None],
    changes: Sequence[tuple[float, float]],
) -> tuple[float, float]:
    """Interval of the second run's minimum minus the first's, from scores (n_s, 1), the cluster of each and each
    severity's interval."""
    lowest = [could_be_lowest(run, clusters)[:, 0] for run in (first, second)]
    low = min(change[0] for change, left in zip(changes, lowest[1], strict=True) if left)
    high = max(change[1] for change, left in zip(changes, lowest[0], strict=True) if left)
    return low, high
