"""Questions crossed with trainings: variance components of a difference, and its test over both at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from .bootstrap import Floats
from .clusters import Ints, spread_of, totals

LEAST_P = 1e-15
"""The smallest p over questions and trainings: what is below it is not told apart."""


@dataclass(frozen=True)
class Components:
    """Standard deviations of the difference that one question shows between one training of each arm, in points.

    ``seed`` is what the training moves on all questions alike, ``question`` what the arms move on a question in
    every training, ``residual`` the rest: a training's luck with a question, and the luck of the answer. Of
    clustered questions both are as large as independent questions would need for the same error.
    """

    seed: float
    question: float
    residual: float


@dataclass(frozen=True)
class Squares:
    """Squared standard errors of a mean difference, each with its degrees of freedom; arrays for several at once.

    ``trainings`` is over other trainings with these questions, ``questions`` over other questions with these
    trainings; both hold the variation of single answers, ``answers``, which the total takes once.
    """

    trainings: Floats
    questions: Floats
    answers: Floats
    training_freedom: Floats
    question_freedom: Floats

    @property
    def error(self) -> Floats:
        """Standard error over both levels; no component counts for less than nothing."""
        square = np.maximum(self.trainings - self.answers, 0) + np.maximum(self.questions, self.answers)
        error: Floats = np.sqrt(square)
        return error

    def critical(self, alpha: Floats | float) -> Floats:
        """How many standard errors a difference must reach to differ from 0 at level ``alpha``, two-sided.

        A few trainings and many questions are the Behrens-Fisher problem. Cochran and Cox (Experimental Designs,
        2nd edition 1957, section 4.14) weigh Student's quantiles of both parts by their shares of the variance:
        w · t(trainings) + (1 - w) · t(questions). Satterthwaite's degrees of freedom (1946, doi 10.2307/3002019)
        instead exceed the level: of 5 %, up to 8 % with three trainings and 13 % with two.

        The share of the trainings is (trainings - λ answers) / total, with λ = (f - 1) / (f + 2) of the f degrees
        of freedom between trainings. λ = 0 never exceeds the level and is needlessly long where trainings do not
        differ; λ = 1 is too short with few trainings, where chance often hides that they do. This λ is ours, chosen
        by simulation (``tests/validity_arms.py``).
        """
        f = self.training_freedom
        square = self.error**2
        deducted = self.trainings - (f - 1) / (f + 2) * self.answers
        share = np.clip(np.divide(deducted, square, out=np.ones_like(square), where=square > 0), 0, 1)
        wanted = 1 - np.asarray(alpha) / 2
        return np.asarray(
            share * special.stdtrit(f, wanted) + (1 - share) * special.stdtrit(self.question_freedom, wanted)
        )

    def p(self, mean: float) -> float:
        """Two-sided p of one difference: the level at which ``critical`` just reaches it, not below 1e-15."""
        reached = abs(mean) / float(self.error)
        low, high = np.log(LEAST_P), 0.0
        if float(self.critical(LEAST_P)) <= reached:
            return LEAST_P
        if not reached:
            return 1.0
        return float(np.exp(optimize.brentq(lambda x: float(self.critical(np.exp(x))) - reached, low, high)))

    def freedom(self, alpha: float) -> float:
        """Degrees of freedom with which Student's quantile at ``alpha`` is the critical value of one difference."""
        wanted = float(self.critical(alpha))
        low, high = 0.5, 1e7
        if special.stdtrit(high, 1 - alpha / 2) >= wanted:
            return high
        return float(optimize.brentq(lambda df: special.stdtrit(df, 1 - alpha / 2) - wanted, low, high))


def squares_of(
    blocks: Sequence[Floats], changes: Floats, codes: npt.NDArray[np.int64], clusters: Ints | None = None
) -> tuple[Squares, Components]:
    """Mean squares of two-way tables without replicates (Scheffé, The Analysis of Variance, 1959, section 7.4).

    With clusters the tables are of their totals of deviations, and degrees of freedom count clusters.

    Args:
        blocks: one (trainings, questions) of differences paired by seed; or one of scores for each arm, whose
            variances add up, their degrees of freedom as Satterthwaite has them.
        changes: each question's mean difference.
        codes: each question's severity. The severities' shares are fixed, unless one has a single question.
        clusters: each question's; None where each stands alone.
    """
    if clusters is not None:
        return _clustered_squares(blocks, changes, codes, clusters)
    n = len(changes)
    sizes = np.bincount(codes)
    strata = [codes == code for code in np.flatnonzero(sizes)]
    if (sizes == 1).any():
        strata = [np.ones(n, bool)]
    spare = [int(rows.sum()) - 1 for rows in strata]
    within = [float(((changes[rows] - changes[rows].mean()) ** 2).sum()) for rows in strata]
    questions = [square / free * (free + 1) / n**2 for square, free in zip(within, spare, strict=True)]

    def single(block: Floats) -> float:
        """The variance of the mean over questions of what is left of one training."""
        total = 0.0
        for rows, free in zip(strata, spare, strict=True):
            part = block[:, rows]
            rest = part - part.mean(axis=0) - part.mean(axis=1, keepdims=True) + part.mean()
            total += float((rest**2).sum()) / ((len(block) - 1) * free) * (free + 1) / n**2
        return total

    return _squares(blocks, [single(block) for block in blocks], list(zip(questions, spare, strict=True)), n)


def _clustered_squares(
    blocks: Sequence[Floats], changes: Floats, codes: Ints, clusters: Ints
) -> tuple[Squares, Components]:
    n = len(changes)
    sizes = totals(np.ones((n, 1)), clusters)[:, 0]
    severest = np.full(len(sizes), codes.max())
    np.minimum.at(severest, clusters, codes)
    pieces = [severest == code for code in np.unique(severest)]
    fewest = min(len(np.unique(clusters[codes == code])) for code in np.unique(codes))
    if fewest < 2 or min(map(np.count_nonzero, pieces)) < 2:
        codes, pieces = np.zeros_like(codes), [np.ones(len(sizes), bool)]
    spreads = [spread_of(sizes[piece]) for piece in pieces]

    def summed(rest: Floats) -> list[float]:
        """Per piece the variance of the mean, from deviations (n, k), summed over k."""
        squares = (totals(rest, clusters) ** 2).sum(axis=1)
        return [
            factor * float(squares[piece].sum()) / n**2 for piece, (factor, _) in zip(pieces, spreads, strict=True)
        ]

    questions = summed(_deviations(changes[:, None], codes))
    freedoms = [freedom for _, freedom in spreads]
    singles = [
        sum(summed(_deviations((block - block.mean(axis=0)).T, codes))) / (len(block) - 1) for block in blocks
    ]
    return _squares(blocks, singles, list(zip(questions, freedoms, strict=True)), n)


def _squares(
    blocks: Sequence[Floats], singles: Sequence[float], questions: Sequence[tuple[float, float]], n: int
) -> tuple[Squares, Components]:
    """Both parts from what the single answers of a training vary by, one for each block, and from the questions'
    squared errors with their degrees of freedom."""
    answers = seed = residual = 0.0
    between = []
    for block, single in zip(blocks, singles, strict=True):
        k = len(block)
        spread = float(block.mean(axis=1).var(ddof=1))
        between.append((spread / k, k - 1.0))
        answers += single / k
        seed += max(0.0, spread - single)
        residual += single * n
    over_questions = sum(square for square, _ in questions)
    question = max(0.0, over_questions - answers) * n
    parts = (
        sum(square for square, _ in between),
        over_questions,
        answers,
        joined_freedom(between),
        joined_freedom(questions),
    )
    return Squares(*map(np.asarray, parts)), Components(seed**0.5, question**0.5, residual**0.5)


def _deviations(values: Floats, codes: Ints) -> Floats:
    """Of (n, k), from each severity's mean."""
    rest = values.copy()
    for code in np.unique(codes):
        rest[codes == code] -= values[codes == code].mean(axis=0)
    return rest


def joined_freedom(terms: Sequence[tuple[float, float]]) -> float:
    """Satterthwaite's degrees of freedom of a sum of squares; all of them where nothing varies."""
    spread = sum(square**2 / freedom for square, freedom in terms)
    return sum(square for square, _ in terms) ** 2 / spread if spread else sum(freedom for _, freedom in terms)
