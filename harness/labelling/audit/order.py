"""Whether the place of a row among the others predicts its label, which a text has no way of knowing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..quality.report_card import Ranks

_AROUND = 10
"""Rows on each side whose majority is compared with a label."""
_CELLS = 20_000_000
"""Labels that are permuted in all."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OrderFound:
    """Three ways in which order can show, each with the p of random permutations of the labels.

    Attributes:
        kappa: quadratic, of a label and the majority of the 20 rows around it.
        runs: how many runs of equal labels there are, and ``runs_expected``.
        cut: before which row the shares of the labels change most; ``before`` and ``after`` are those shares, by
            rank, in percent.
    """

    kappa: float
    kappa_p: float
    runs: int
    runs_expected: float
    runs_p: float
    cut: int
    cut_p: float
    before: tuple[float, ...]
    after: tuple[float, ...]


def _ordered(ranks: Ranks) -> bool:
    return len(ranks) >= 2 * _AROUND * 2 and len(np.unique(ranks)) > 1


def neighbours_kappa(ranks: Ranks) -> float | None:
    """The kappa of ``OrderFound`` alone, of labels (n,) in the order of their file; None for fewer than 40."""
    return _neighbours(ranks) if _ordered(ranks) else None


def order_found(ranks: Ranks, seed: int = 0) -> OrderFound | None:
    """Look for order in labels of shape (n,); None for fewer than 40, or where all are equal.

    Runs: Wald and Wolfowitz 1940 (doi 10.1214/aoms/1177731909), of three kinds of labels. Change point: the largest
    of the standardised CUSUMs of the three shares and of the mean rank (Pettitt 1979, doi 10.2307/2346729).
    """
    n = len(ranks)
    if not _ordered(ranks):
        return None
    rng = np.random.default_rng(seed)
    kappa, runs, (cut, shift) = _neighbours(ranks), _runs(ranks), _change(ranks)
    drawn = int(np.clip(_CELLS // n, 199, 999))
    beyond = np.zeros(3)
    total = 0.0
    for _ in range(drawn):
        mixed = rng.permutation(ranks)
        mixed_runs = _runs(mixed)
        total += mixed_runs
        beyond += (_neighbours(mixed) >= kappa, mixed_runs <= runs, _change(mixed)[1] >= shift)
    p = (1 + beyond) / (1 + drawn)
    shares = [tuple(float(100 * (part == rank).mean()) for rank in range(3)) for part in (ranks[:cut], ranks[cut:])]
    return OrderFound(kappa, p[0], runs, total / drawn, p[1], cut, p[2], shares[0], shares[1])


def _neighbours(ranks: Ranks) -> float:
    """Quadratic kappa of each label with the majority of the rows around it, ties to the more severe."""
    one_hot = np.eye(3)[ranks]
    sums = np.concatenate([np.zeros((1, 3)), one_hot.cumsum(axis=0)])
    n = len(ranks)
    low, high = np.maximum(np.arange(n) - _AROUND, 0), np.minimum(np.arange(n) + _AROUND + 1, n)
    around = sums[high] - sums[low] - one_hot
    majority = 2 - around[:, ::-1].argmax(axis=1)
    return quadratic_kappa(ranks.astype(int), majority)


def quadratic_kappa(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> float:
    """Cohen's kappa with quadratic weights (1968) of ranks; 0 where one of them never varies."""
    expected = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    return float(1 - ((first - second) ** 2).mean() / expected) if expected else 0.0


def _runs(ranks: Ranks) -> int:
    return int((ranks[1:] != ranks[:-1]).sum()) + 1


def _change(ranks: Ranks) -> tuple[int, float]:
    """The cut with the largest standardised change of a share or of the mean rank, and how large."""
    n = len(ranks)
    columns = np.column_stack([np.eye(3)[ranks], ranks])
    mean, variance = columns.mean(axis=0), columns.var(axis=0)
    cuts = np.arange(_AROUND, n - _AROUND)
    gap = columns.cumsum(axis=0)[cuts - 1] - cuts[:, None] * mean
    spread = np.sqrt(np.maximum(variance, 1e-12) * (cuts * (n - cuts) / n)[:, None])
    size = np.abs(gap) / spread
    size[:, variance == 0] = 0
    place = int(size.max(axis=1).argmax())
    return int(cuts[place]), float(size.max())
