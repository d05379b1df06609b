"""Whether two groups of questions change by the same: the studentised permutation test and its inversion.

Questions are divided anew at random into groups of the same sizes, and Welch's t is computed of each division. It
is exact where both groups are alike but for their means, skewed or not, and keeps the level for many questions
where they vary differently too (Janssen 1997, doi 10.1016/S0167-7152(97)00043-6; Neubert and Brunner 2007,
doi 10.1016/j.csda.2006.05.024). By simulation (``tests/validity_interaction.py``) Welch's own test rejects 10 % at
5 % where 34 questions of one group and 500 of the other have skewed changes with many zeros, and this one 5 %.
Neither helps where few questions are skewed and many are not: with a gain of 20 points in one of ten of 34
questions and of 2 in each of 500, both reject 11 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from .bootstrap import Floats
from .intervals import LEVEL, agreeing
from .resampling import Resampling

# Keeps the random divisions apart from the bootstrap's random rows and the random signs.
_STREAM = (0, 2)
# Random keys that are held at once (32 MB).
_KEYS = 4_000_000
# Sums of the same numbers in another order differ in the last bits and still count as equal.
_TIE = 1e-9
_LEAST = 1e-18
# Of the bracket that an end of the interval is sought in: to 1e-8 standard errors.
_HALVINGS = 30


@dataclass(frozen=True)
class Divided:
    """Tests of k columns: ``p`` with the ends of the 95 % interval, each shape (k,), from so many ``divisions``."""

    p: Floats
    low: Floats
    high: Floats
    divisions: int


def smallest_division_p(here: int, there: int) -> float:
    """The smallest p that groups of these sizes can give: of equal sizes, the opposite division says the same."""
    return (2 if here == there else 1) / comb(here + there, here)


def welch(here: Floats, there: Floats) -> tuple[Floats, Floats]:
    """Squared standard error of the difference of both groups' means, and its degrees of freedom (Welch 1947,
    doi 10.1093/biomet/34.1-2.28), of the columns of two arrays (n, k); two rows each at least."""
    one, other = (group.var(axis=0, ddof=1) / len(group) for group in (here, there))
    spread = one**2 / (len(here) - 1) + other**2 / (len(there) - 1)
    square = one + other
    return square, np.divide(square**2, spread, out=np.ones_like(square), where=spread > 0)


def divided(here: Floats, there: Floats, resampling: Resampling) -> Divided:
    """Test whether the means of two groups, arrays (n, k), are equal, column by column.

    The interval is all δ that are not rejected when the first group is moved by -δ; its ends are found by halving.
    The observed division counts as one of those drawn (Phipson and Smyth 2010, doi 10.2202/1544-6115.1585).
    """
    observed = here.mean(axis=0) - there.mean(axis=0)
    square, _ = welch(here, there)
    divisions = _divisions(here - here.mean(axis=0), there - there.mean(axis=0), resampling)
    count = len(divisions.mean_slope)

    def p_of(moved: Floats) -> Floats:
        """If the first group is moved so that the observed difference is ``moved``."""
        return (divisions.reached(moved, moved**2 / square) + 1) / (count + 1)

    alpha = round(1 - LEVEL, 12)
    reach = []
    for side in (1, -1):
        inside, outside = np.zeros_like(observed), side * 8 * np.sqrt(square)
        for _ in range(_HALVINGS):
            if not (kept := p_of(outside) >= alpha).any():
                break
            inside, outside = np.where(kept, outside, inside), np.where(kept, 2 * outside, outside)
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            kept = p_of(middle) >= alpha
            inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
        reach.append(inside)
    p = p_of(observed)
    low, high = agreeing((observed - reach[0], observed - reach[1]), observed, p, alpha)
    return Divided(p, low, high, count)


@dataclass(frozen=True)
class _Divisions:
    """Of d divisions and k columns: the mean difference and the squared standard error as polynomials in what is
    added to the first group's values, whose mean is 0 before it, as the second's is. Coefficients that hold values
    are (k, d), the others (d,)."""

    mean: Floats
    mean_slope: Floats
    square: Floats
    square_slope: Floats
    square_curve: Floats

    def reached(self, moved: Floats, bound: Floats) -> Floats:
        """How many divisions have at least the squared t that is ``bound``, both (k,)."""
        shift = moved[:, None]
        means = self.mean + shift * self.mean_slope
        squares = np.maximum(self.square + shift * (self.square_slope + shift * self.square_curve), 0)
        found: Floats = (means**2 >= bound[:, None] * (1 - _TIE) * squares - _LEAST).sum(axis=1)
        return found


def _divisions(here: Floats, there: Floats, resampling: Resampling) -> _Divisions:
    """Of centred values of both groups."""
    n, m = len(here), len(there)
    values = np.vstack([here, there])
    own = np.vstack([here, np.zeros_like(there)])
    k = values.shape[1]
    columns = np.hstack([values, values**2, own, (np.arange(n + m) < n)[:, None]])
    found = np.vstack([chosen @ columns for chosen in _chosen(n, n + m, resampling)]).T
    # Sums over those in the first group: how many were in it before, their values, squares, and own values. What
    # these lack to the sums of all is in the second; the sums of all values and of the own are 0.
    kept, sums, squares, own_sums = found[-1], found[:k], found[k : 2 * k], found[2 * k : 3 * k]
    given, whole = n - kept, (values**2).sum(axis=0)[:, None]
    one, other = 1 / ((n - 1) * n), 1 / ((m - 1) * m)
    return _Divisions(
        mean=sums * (1 / n + 1 / m),
        mean_slope=kept / n - given / m,
        square=one * (squares - sums**2 / n) + other * (whole - squares - sums**2 / m),
        square_slope=2 * one * (own_sums - sums * kept / n) - 2 * other * (own_sums - sums * given / m),
        square_curve=one * (kept - kept**2 / n) + other * (given - given**2 / m),
    )


def _chosen(n: int, total: int, resampling: Resampling) -> Iterator[Floats]:
    """Random divisions as rows of ``total`` marks, of which n are 1; more resamples continue the stream."""
    rng = np.random.default_rng([resampling.seed, *_STREAM])
    size = max(1, _KEYS // total)
    for start in range(0, resampling.resamples, size):
        keys = rng.random((min(size, resampling.resamples - start), total))
        yield (keys <= np.partition(keys, n - 1, axis=1)[:, n - 1 : n]).astype(np.float64)
