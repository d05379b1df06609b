"""A mean over cells of a two-way table that need not be full, such as questions by raters, tested over both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .bootstrap import Floats
from .crossed import Squares
from .intervals import LEVEL


@dataclass(frozen=True)
class TwoWayMean:
    """A mean with its 95 % interval and two-sided p over other rows and other columns at once; no interval and no p
    where there is one row or one column."""

    n: int
    rows: int
    columns: int
    mean: float
    low: float | None
    high: float | None
    p: float | None


def two_way_mean(values: Floats, rows: npt.ArrayLike, columns: npt.ArrayLike) -> TwoWayMean:
    """The mean of ``values`` (n,), each of which belongs to a row (a question) and a column (a rater).

    Its variance is that of sums by row, plus that of sums by column, minus that of single values, which both hold
    (Cameron, Gelbach and Miller 2011, doi 10.1198/jbes.2010.07136, for a mean; each with the factor G / (G - 1)).
    Student's quantiles of both parts are weighed as in ``Squares``, since raters are few.
    """
    n = len(values)
    _, row = np.unique(np.asarray(rows), return_inverse=True)
    _, column = np.unique(np.asarray(columns), return_inverse=True)
    height, width = int(row.max()) + 1, int(column.max()) + 1
    mean = float(values.mean())
    if height < 2 or width < 2:
        return TwoWayMean(n, height, width, mean, None, None, None)
    left = values - mean
    by_row, by_column = np.bincount(row, weights=left), np.bincount(column, weights=left)
    squares = Squares(
        trainings=np.asarray((by_column**2).sum() / n**2 * width / (width - 1)),
        questions=np.asarray((by_row**2).sum() / n**2 * height / (height - 1)),
        answers=np.asarray((left**2).sum() / n**2),
        training_freedom=np.asarray(width - 1.0),
        question_freedom=np.asarray(height - 1.0),
    )
    error = float(squares.error)
    if not error:
        return TwoWayMean(n, height, width, mean, mean, mean, 1.0 if not mean else 0.0)
    half = float(squares.critical(1 - LEVEL)) * error
    return TwoWayMean(n, height, width, mean, mean - half, mean + half, squares.p(mean))
