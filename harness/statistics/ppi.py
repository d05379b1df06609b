"""Means where people judged some of the very rows, and a machine all of them: prediction-powered inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from .bootstrap import Floats
from .intervals import LEVEL

LEAST = 5
"""Gold rows of a severity, and gold rows besides, without which the spread of its rows is not known."""


def powered_mean(
    changes: Floats, guesses: Floats, labelled: npt.NDArray[np.bool_], truly: npt.NDArray[np.bool_]
) -> tuple[float, float, float] | None:
    """The mean difference of the rows that are truly of a severity, with a 95 % interval; None with too few rows.

    Prediction-powered inference (Angelopoulos et al. 2023, doi 10.1126/science.adi6000) with the tuned weight of
    PPI++ (arXiv 2311.01453): the mean solves Σ g (change - mean) = 0, where g says whether the row is truly of the
    severity. On all rows a guess stands for g, and the gold rows say by how much that is wrong. Nothing is assumed
    of the labels; the gold has to be drawn at random from these rows.

    Args:
        changes: each row's difference, shape (n,).
        guesses: how sure the labels are that a row is of the severity, shape (n,).
        labelled: whether people labelled the row.
        truly: whether they labelled it so; read where they did.
    """
    gold, rest = labelled, ~labelled
    found = truly[gold].astype(np.float64)
    n, others = int(gold.sum()), int(rest.sum())
    if min(found.sum(), n - found.sum()) < LEAST or others < LEAST:
        return None
    # The weight depends on the mean and the mean on the weight: from the gold's own mean two steps settle both.
    mean = float(found @ changes[gold] / found.sum())
    for _ in range(2):
        weight = _weight(found * (changes[gold] - mean), guesses[gold] * (changes[gold] - mean), n / others)
        parts = [
            weight * (guesses[rest] * each[rest]).mean() + ((found - weight * guesses[gold]) * each[gold]).mean()
            for each in (changes, np.ones_like(changes))
        ]
        if parts[1] <= 0:
            return None
        mean = float(parts[0] / parts[1])
    off = changes - mean
    square = weight**2 * (guesses[rest] * off[rest]).var(ddof=1) / others
    square += ((found - weight * guesses[gold]) * off[gold]).var(ddof=1) / n
    # A few rows of the severity bear the estimate, whatever the number of gold rows.
    half = float(special.stdtrit(found.sum() - 1, (1 + LEVEL) / 2)) * float(square) ** 0.5 / parts[1]
    return mean, mean - half, mean + half


def _weight(truth: Floats, guess: Floats, ratio: float) -> float:
    """How much the guesses count: what makes the variance least, between 0 and 1."""
    spread = float(guess.var(ddof=1)) * (1 + ratio)
    return float(np.clip(np.cov(truth, guess)[0, 1] / spread, 0, 1)) if spread > 0 else 0.0


@dataclass(frozen=True)
class Powered:
    """A mean of what people say with its 95 % interval, and the interval that their word alone would give."""

    n: int
    others: int
    mean: float
    low: float
    high: float
    alone_low: float
    alone_high: float

    @property
    def width(self) -> float:
        """Width of the interval relative to that of people's word alone; 1 where that has none."""
        alone = self.alone_high - self.alone_low
        return (self.high - self.low) / alone if alone else 1.0

    @property
    def saving_pct(self) -> float:
        """Percent of the ratings that could be left out for the interval of ratings alone."""
        return 100 * max(0.0, 1 - self.width**2)


def powered_average(
    said: Sequence[Floats], guessed: Sequence[Floats], guessed_others: Sequence[Floats]
) -> Powered | None:
    """The mean over all rows of what people said of some of them, helped by a score that all rows have.

    PPI++ (arXiv 2311.01453, example of the mean) in each stratum, with its tuned weight, which here may be of any
    size and sign since a score has units of its own; strata are weighed by their rows. Nothing is assumed of the
    score. None where a stratum has fewer than ``LEAST`` rows of either kind.

    Args:
        said: of each stratum, what people said of rows drawn at random from it, shape (n,).
        guessed: the score of the same rows, shape (n,).
        guessed_others: the score of the stratum's other rows, shape (m,).
    """
    if any(min(len(a), len(c)) < LEAST for a, c in zip(said, guessed_others, strict=True)):
        return None
    sizes = np.array([len(a) + len(c) for a, c in zip(said, guessed_others, strict=True)], dtype=np.float64)
    shares = sizes / sizes.sum()
    mean, alone, squares, plain, freedom = 0.0, 0.0, [], [], []
    for share, own, guess, rest in zip(shares, said, guessed, guessed_others, strict=True):
        n, others = len(own), len(rest)
        spread = float(guess.var(ddof=1)) * (1 + n / others)
        weight = float(np.cov(own, guess)[0, 1] / spread) if spread > 0 else 0.0
        mean += share * float(own.mean() + weight * (rest.mean() - guess.mean()))
        alone += share * float(own.mean())
        squares.append(
            share**2 * float((own - weight * guess).var(ddof=1) / n + weight**2 * rest.var(ddof=1) / others)
        )
        plain.append(share**2 * float(own.var(ddof=1) / n))
        # The tuned weight costs one.
        freedom.append(n - 2)
    half, half_alone = _half(squares, freedom), _half(plain, [each + 1 for each in freedom])
    return Powered(
        sum(map(len, said)),
        sum(map(len, guessed_others)),
        mean,
        mean - half,
        mean + half,
        alone - half_alone,
        alone + half_alone,
    )


def _half(squares: Sequence[float], freedom: Sequence[int]) -> float:
    """Half a 95 % interval of a sum of parts of these variances (Satterthwaite 1946, doi 10.2307/3002019)."""
    total = sum(squares)
    if not total:
        return 0.0
    effective = total**2 / sum(square**2 / free for square, free in zip(squares, freedom, strict=True))
    return float(special.stdtrit(effective, (1 + LEVEL) / 2) * np.sqrt(total))
