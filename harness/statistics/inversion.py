"""The sign-flip test of a mean difference and the interval that is its inversion: they never contradict each other.

The test of "the true difference is δ" flips the signs of d - δ. With F the answers that a sign vector flips and U
those that it does not, the flipped mean is at least as far from 0 as the observed one exactly if δ lies between the
mean of d over F and that over U: both squares differ by (1 - s)(1 + s)(δ - d_F)(d_U - δ), with s the mean sign.
Each such segment holds the mean of all d, so p(δ) falls from there to both sides, and the δ that are not
rejected are an interval whose ends are order statistics of the segments' ends. (Inverting a test: Cox and Hinkley
1974, section 7.2; of flipped signs, Hartigan 1969, doi 10.1080/01621459.1969.10501057, whose typical values these
subset means are.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .bootstrap import Floats
from .flips import Flips
from .significance import randomisation_p, slack_of


@dataclass(frozen=True)
class Tested:
    """k tests. ``ends`` has one pair (low, high) of shape (k,) per level asked for, infinite where so few sign
    vectors exclude no difference; ``vectors`` of signs stand behind p, all of them if ``exact``."""

    p: Floats
    ends: list[tuple[Floats, Floats]]
    vectors: int
    exact: bool


def sign_flip_test(parts: Iterable[Flips], levels: Sequence[float]) -> Tested:
    """Two-sided p of each column and its intervals.

    Args:
        parts: the columns, some at a time.
        levels: of the intervals, such as 0.95: the p of every δ outside is below 0.05.
    """
    p, ends, exact, vectors = [], [], False, 0
    for flips in parts:
        exact, vectors = flips.exact, flips.flipped.shape[1]
        p.append(exact_p(flips) if exact else randomisation_p(flips.means, flips.flipped))
        ends.append(inverted(flips, levels))
    joined = [
        (np.concatenate([part[level][0] for part in ends]), np.concatenate([part[level][1] for part in ends]))
        for level in range(len(levels))
    ]
    return Tested(np.concatenate(p), joined, 2 * vectors if exact else vectors, exact)


def exact_p(flips: Flips) -> Floats:
    """Two-sided p over all sign vectors: the share that reaches the observed mean difference."""
    reached = np.abs(flips.flipped) >= (np.abs(flips.means) - slack_of(flips.means))[:, None]
    p: Floats = reached.mean(axis=1)
    return p


def inverted(flips: Flips, levels: Sequence[float]) -> list[tuple[Floats, Floats]]:
    """The interval of each level: all δ whose p is not below 1 - level."""
    above, below = _segments(flips)
    vectors = flips.flipped.shape[1]
    needed = [_needed(vectors, 0 if flips.exact else 1, round(1 - level, 12)) for level in levels]
    low = np.partition(above, [count - 1 for count in needed], axis=1)
    high = np.partition(below, [vectors - count for count in needed], axis=1)
    ends = [(low[:, count - 1], high[:, vectors - count]) for count in needed]
    # So few random vectors that no p of theirs is below the level exclude nothing.
    least = 0.0 if flips.exact else 1 / (vectors + 1)
    nothing = np.full(len(flips.means), np.inf)
    return [
        (-nothing, nothing) if least >= round(1 - level, 12) else pair
        for level, pair in zip(levels, ends, strict=True)
    ]


def _segments(flips: Flips) -> tuple[Floats, Floats]:
    """Lower and upper ends (k, vectors). What ties with the observed mean at δ = 0 ends at 0, as it does in p."""
    means, slack = flips.means[:, None], slack_of(flips.means)[:, None]
    ends = []
    for side in (-1, 1):
        sums = means + side * flips.flipped
        sums[np.abs(sums) <= slack] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            sums /= 1 + side * flips.balance
        ends.append(sums)
    low, high = np.minimum(*ends), np.maximum(*ends)
    # All or none flipped: such a vector excludes nothing.
    whole = np.abs(flips.balance) > 1 - 1e-12
    low[:, whole], high[:, whole] = -np.inf, np.inf
    return low, high


def _needed(vectors: int, observed: int, alpha: float) -> int:
    """In how many of the vectors' segments a δ must lie so that its p is not below ``alpha``, at least 1.

    Args:
        observed: 1 where the observed signs count beside the vectors.
    """
    count = max(1, int(alpha * (vectors + observed)) - 1)
    while (count + observed) / (vectors + observed) < alpha:
        count += 1
    return count
