"""Means per true severity where people labelled some of the very rows, and a machine all of them."""

from __future__ import annotations

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
