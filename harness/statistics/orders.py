"""How well one score orders answers as another does: tau-b, AUC and pairwise accuracy, bootstrapped by question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from .bootstrap import Floats, counts
from .resampling import USUAL, Resampling

_LEVELS = (2.5, 97.5)
_POWER = 0.8
_ALPHA = 0.05


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % percentile interval over questions; None where it is undefined. ``n``: answers or pairs
    behind it."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def tau_b(score: Floats, truth: Floats, questions: npt.ArrayLike, resampling: Resampling = USUAL) -> Estimate:
    """Kendall's tau-b (1945, doi 10.1093/biomet/33.3.239) of two scores of n answers.

    Args:
        questions: to which question each answer belongs; whole questions are resampled.
    """
    one, other = np.sign(score[:, None] - score), np.sign(truth[:, None] - truth)
    weights = _weights(questions, resampling)
    agreed, first, second = (_paired(matrix, weights) for matrix in (one * other, one**2, other**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return estimate(agreed / np.sqrt(first * second), len(score))


def auc(
    score: Floats, event: npt.NDArray[np.bool_], questions: npt.ArrayLike, resampling: Resampling = USUAL
) -> Estimate:
    """Chance, in percent, that an answer with the event scores above one without (Hanley and McNeil 1982,
    doi 10.1148/radiology.143.1.7063747)."""
    return estimate(concordance(score, event.astype(np.float64), questions, resampling), len(score))


def concordance(score: Floats, truth: Floats, questions: npt.ArrayLike, resampling: Resampling = USUAL) -> Floats:
    """Chance, in percent, that of two answers the truly better one scores higher, ties half: of the answers, then
    of each resample, shape (1 + resamples,). Equal questions draw equal resamples, so two scores can be compared
    draw by draw."""
    apart = (truth[:, None] > truth).astype(np.float64)
    above = (score[:, None] > score) + 0.5 * (score[:, None] == score)
    weights = _weights(questions, resampling)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * _paired(above * apart, weights) / _paired(apart, weights)


def consistency(score: Floats, truth: Floats, questions: npt.ArrayLike, resampling: Resampling = USUAL) -> Estimate:
    """ICC(3,1), how consistent two scores are (Shrout and Fleiss 1979, doi 10.1037/0033-2909.86.2.420):
    twice their covariance over the sum of their variances."""
    weights = _weights(questions, resampling)
    total = weights.sum(axis=1)
    sums = weights @ np.column_stack([score, truth, score**2, truth**2, score * truth]) / total[:, None]
    covariance = sums[:, 4] - sums[:, 0] * sums[:, 1]
    spread = sums[:, 2] - sums[:, 0] ** 2 + sums[:, 3] - sums[:, 1] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return estimate(np.where(spread > 1e-12, 2 * covariance / spread, np.nan), len(score))


def pairwise_accuracy(
    change: Floats, preference: Floats, questions: npt.ArrayLike, resampling: Resampling = USUAL
) -> Estimate:
    """Of the pairs with a preference the share, in percent, that the score prefers alike; its ties half."""
    decided = preference != 0
    right = np.where(np.sign(change) == np.sign(preference), 1.0, np.where(change == 0, 0.5, 0.0)) * decided
    sums = _weights(questions, resampling) @ np.column_stack([right, decided.astype(np.float64)])
    with np.errstate(invalid="ignore", divide="ignore"):
        return estimate(100 * sums[:, 0] / sums[:, 1], int(decided.sum()))


def pairs_needed(accuracy: float) -> int | None:
    """How many decided pairs tell an accuracy in percent from 50 at 5 % with 80 % power; None at 50."""
    share = accuracy / 100
    if abs(share - 0.5) < 1e-9:
        return None
    level, power = special.ndtri(1 - _ALPHA / 2), special.ndtri(_POWER)
    root = level * 0.5 + power * np.sqrt(share * (1 - share))
    return int(np.ceil((root / (share - 0.5)) ** 2))


def _weights(questions: npt.ArrayLike, resampling: Resampling) -> Floats:
    """How often each answer counts, shape (1 + resamples, n): once each, then as its question was drawn."""
    _, place = np.unique(np.asarray(questions), return_inverse=True)
    total = int(place.max()) + 1
    drawn = np.concatenate(
        list(counts(total, min(resampling.resamples, 2_000), np.random.default_rng(resampling.seed)))
    )
    return np.concatenate([np.ones((1, len(place))), drawn[:, place]])


def _paired(matrix: Floats, weights: Floats) -> Floats:
    """w' A w of each row of weights. A question that is drawn twice is compared with its own copy as equal."""
    sums: Floats = ((weights @ matrix) * weights).sum(axis=1)
    return sums


def estimate(values: Floats, n: int) -> Estimate:
    """The first of the values, with the interval of the others, which are its resamples."""
    point, drawn = float(values[0]), values[1:]
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(point) or len(drawn) < 2:
        return Estimate(point if np.isfinite(point) else None, None, None, n)
    low, high = np.percentile(drawn, _LEVELS)
    return Estimate(point, float(low), float(high), n)
