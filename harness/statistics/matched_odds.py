"""Odds ratios of matched pairs and rates, where the pairs and answers of one case belong together.

Pairs differ in one factor alone. Of 1:1 pairs the Mantel-Haenszel and the conditional maximum-likelihood odds ratio
are the same: the pairs in which only the first has the event over those in which only the second has it (Breslow
and Day 1980, Statistical Methods in Cancer Research I, section 5.2). One half is added to both counts (Haldane
1956, doi 10.1111/j.1469-1809.1955.tb01285.x), so that it is finite. Intervals are over cases: whole cases are
resampled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .bootstrap import Floats, counts
from .intervals import LEVEL, bca, wilson
from .resampling import Resampling

_HALF = 0.5


@dataclass(frozen=True)
class OddsRatio:
    """``only_first`` and ``only_second`` are the pairs of which one alone had the event. ``low`` is None where too
    few cases have any; ``high`` is infinite where nothing bounds it."""

    value: float
    low: float | None
    high: float | None
    only_first: int
    only_second: int


def matched_odds_ratio(first: Floats, second: Floats, resampling: Resampling) -> OddsRatio:
    """The odds ratio of the event, with a 95 % interval by BCa on the log scale.

    A bootstrap cannot say how far a ratio may go of which one side was never seen, nor where all cases say the
    same: there the interval is the exact one of the share of pairs that changed one way (Clopper and Pearson 1934,
    doi 10.1093/biomet/26.4.404), each case that has such pairs counted as one trial. Elsewhere it is at least as
    wide as the exact one in which every pair is a trial: over few cases a bootstrap can be shorter than chance.

    Args:
        first, second: of each case, the pairs of which only the first, or only the second, had the event; (k,).
        resampling: of the cases.
    """
    ones, others = float(first.sum()), float(second.sum())
    value = (ones + _HALF) / (others + _HALF)
    changed = int(((first + second) > 0).sum())
    found = {"value": value, "only_first": int(ones), "only_second": int(others)}
    if changed < 2:
        return OddsRatio(low=None, high=None, **found)  # type: ignore[arg-type]
    low = high = np.nan
    if ones and others:
        low, high = _resampled(first, second, resampling)
        least = _exact(ones / (ones + others), ones + others)
        low, high = np.minimum(low, least[0]), np.maximum(high, least[1])
    if np.isnan(low):
        low, high = _exact(ones / (ones + others), changed)
    return OddsRatio(low=float(low), high=float(high), **found)  # type: ignore[arg-type]


def mean_over_cases(rates: Floats, resampling: Resampling) -> tuple[float, float | None, float | None]:
    """The mean of the cases' rates in percent with a 95 % interval by BCa over cases; where all are equal, Wilson's
    with each case as one trial. No interval of a single case.

    Args:
        rates: shape (k,), each in [0, 100].
    """
    mean, k = float(rates.mean()), len(rates)
    if k < 2:
        return mean, None, None
    resampled = np.concatenate([chunk @ rates for chunk in _draws(k, resampling)]) / k
    low, high = bca(np.array([mean]), resampled[None], [(rates - mean)[:, None]])
    if np.isnan(low[0]):
        low, high = wilson(np.array([k * mean / 100]), k)
    return mean, float(low[0]), float(high[0])


def mean_difference(
    first: Floats, second: Floats, resampling: Resampling
) -> tuple[float, float | None, float | None]:
    """Mean over cases of first minus second rate, in points, with its BCa interval; none where all cases say the
    same, or there is but one."""
    gaps = first - second
    mean, k = float(gaps.mean()), len(gaps)
    if k < 2:
        return mean, None, None
    resampled = np.concatenate([chunk @ gaps for chunk in _draws(k, resampling)]) / k
    low, high = bca(np.array([mean]), resampled[None], [(gaps - mean)[:, None]])
    return mean, *((None, None) if np.isnan(low[0]) else (float(low[0]), float(high[0])))


def _draws(k: int, resampling: Resampling) -> Iterator[Floats]:
    """The same draws of k cases for everything that is said of them."""
    return counts(k, resampling.resamples, np.random.default_rng([resampling.seed, k]))


def _resampled(first: Floats, second: Floats, resampling: Resampling) -> tuple[float, float]:
    both = np.column_stack([first, second])
    sums = np.concatenate([chunk @ both for chunk in _draws(len(first), resampling)]) + _HALF
    totals = both.sum(axis=0) + _HALF
    shares = (both - both.mean(axis=0)) / totals
    log = np.array([np.log(totals[0] / totals[1])])
    low, high = bca(log, np.log(sums[:, 0] / sums[:, 1])[None], [(shares[:, 0] - shares[:, 1])[:, None]])
    return float(np.exp(low[0])), float(np.exp(high[0]))


def _exact(share: float, trials: float) -> tuple[float, float]:
    events, tail = share * trials, (1 - LEVEL) / 2
    low = stats.beta.ppf(tail, events, trials - events + 1) if share > 0 else 0.0
    high = stats.beta.ppf(1 - tail, events + 1, trials - events) if share < 1 else 1.0
    return float(low / (1 - low)), float(high / (1 - high)) if high < 1 else np.inf
