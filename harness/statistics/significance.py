"""Randomisation p of paired differences, Holm's adjustment, and the smallest difference that a test can find."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from .bootstrap import Floats

POWER = 0.8
# Sums of the same numbers in another order differ in the last bits and still count as equal.
_TIE = 1e-10


def randomisation_p(means: Floats, flipped: Floats) -> Floats:
    """Two-sided p of k mean differences: how often random signs reach the one observed.

    Under the null hypothesis the two runs are exchangeable for every answer: the sign of each difference is a coin.
    The observed signs count as one of the draws, (hits + 1) / (draws + 1), which keeps the level
    (Phipson and Smyth 2010, doi 10.2202/1544-6115.1585).

    Args:
        means: observed mean differences, shape (k,).
        flipped: mean differences under random signs, shape (k, draws).
    """
    hits = (np.abs(flipped) >= (np.abs(means) - slack_of(means))[:, None]).sum(axis=1)
    p: Floats = (hits + 1) / (flipped.shape[1] + 1)
    return p


def slack_of(means: Floats) -> Floats:
    """How far a flipped mean may fall short of the observed one and still tie with it."""
    slack: Floats = _TIE * np.maximum(1.0, np.abs(means))
    return slack


def smallest_p(changed: int) -> float:
    """The smallest two-sided p that so many non-zero differences can give: 2 of the 2^changed sign vectors.

    A test that cannot reach the level takes nothing from the others of its family (Tarone 1990,
    doi 10.2307/2531456): how many differences are zero does not depend on the signs.
    """
    return min(1.0, 2.0 ** (1 - changed))


def within_error(p: float, vectors: int, alpha: float) -> bool:
    """Whether another draw of random signs could put p on the other side of ``alpha``: it lies within 3 binomial
    standard errors, those of a p that is ``alpha``."""
    return abs(p - alpha) <= 3 * math.sqrt(alpha * (1 - alpha) / vectors)


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p of one family, in the order given (Holm 1979): the smallest times m, the next times m - 1, and so
    on, never falling below an earlier one and never above 1."""
    adjusted = [0.0] * len(p)
    floor = 0.0
    for rank, place in enumerate(np.argsort(p, kind="stable")):
        floor = max(floor, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = floor
    return adjusted


def detectable_at(error: float, freedom: float, alpha: float) -> float:
    """Smallest true mean difference that Student's two-sided test at level ``alpha`` finds with power ``POWER``.

    Args:
        error: standard error of the mean difference.
        freedom: its degrees of freedom.
    """
    return float(special.stdtrit(freedom, np.array([1 - alpha / 2, POWER])).sum() * error)


def detectable_difference(deviation: float, n: int, alpha: float) -> float:
    """Smallest true mean difference that a two-sided paired test at level ``alpha`` finds with power ``POWER``.

    (t_(1 - alpha/2) + t_power) · deviation / sqrt(n), with n - 1 degrees of freedom (Bloom 1995,
    doi 10.1177/0193841X9501900504).

    Args:
        deviation: standard deviation of the n differences, as observed.
        n: at least 2.
    """
    quantiles = special.stdtrit(n - 1, np.array([1 - alpha / 2, POWER]))
    return float(quantiles.sum() * deviation / np.sqrt(n))
