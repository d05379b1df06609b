"""What an experiment with so many trainings, questions and samples would find: power from variance components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

from ..languages.sentences import sentence
from .bootstrap import Floats
from .crossed import Components, Squares
from .significance import POWER
from .verdicts import ALPHA

_DRAWS = 2**13
_MOST_SEEDS = 50
_MOST_QUESTIONS = 1_000_000


@dataclass(frozen=True)
class Design:
    """How much is trained and asked: training seeds of each arm, questions, and samples of each answer.

    ``design_effect`` is how many times the variance over questions is that of independent ones, at least 1, at one
    sample (Kish, Survey Sampling, 1965, section 5.4).
    """

    seeds: int
    questions: int
    samples: int = 1
    design_effect: float = 1.0


@dataclass(frozen=True)
class Planned:
    """What a design promises.

    Attributes:
        power_pct: how often it finds the effect, in percent.
        detectable: the smallest true difference that it finds with 80 % power, in points.
    """

    design: Design
    power_pct: float
    detectable: float


def planned(
    components: Components, design: Design, effect: float, sampling: float = 0.0, alpha: float = ALPHA
) -> Planned:
    """The power of a comparison of two arms, paired by seed, at level ``alpha`` (two-sided, one test).

    The mean squares of a crossed design are independent multiples of chi-squares (Scheffé, The Analysis of
    Variance, 1959, section 7.4), and the difference is normal and independent of them; so the power is the mean of
    a normal probability over their distribution, taken at the points of a scrambled Sobol sequence.

    Args:
        components: of the difference at one sample per answer.
        design: at least two seeds and two questions.
        effect: the true difference of the arms, in points.
        sampling: which part of ``components.residual`` is the luck of the answer and shrinks with more samples, as
            a standard deviation of the difference; 0 for greedy decoding.
        alpha: the level.
    """
    squares, error = _drawn(components, design, sampling)
    bound = squares.critical(alpha) * squares.error
    return Planned(design, 100 * _found(effect, bound, error), _detectable(bound, error))


def at_one_sample(residual: float, sampling: float, samples: int) -> float:
    """The residual's standard deviation at one sample per answer, from that of means over so many.

    Args:
        residual: as it was found.
        sampling: which part of the residual at one sample is the luck of the answer.
        samples: of each answer, of which the luck was averaged.
    """
    return float((residual**2 + sampling**2 * (1 - 1 / samples)) ** 0.5)


def planned_table(
    components: Components, designs: Sequence[Design], effect: float, sampling: float = 0.0, alpha: float = ALPHA
) -> list[Planned]:
    """``planned`` for each design."""
    return [planned(components, design, effect, sampling, alpha) for design in designs]


def seeds_needed(components: Components, design: Design, effect: float, sampling: float = 0.0) -> int | None:
    """How many seeds each arm needs with the design's questions to find the effect with 80 % power; None if 50 are
    too few."""
    low, high = 1, _MOST_SEEDS

    def enough(seeds: int) -> bool:
        return planned(components, replace(design, seeds=seeds), effect, sampling).power_pct >= 100 * POWER

    if not enough(high):
        return None
    while high > low + 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def questions_needed(components: Components, design: Design, effect: float, sampling: float = 0.0) -> int | None:
    """How many questions the design's seeds need to find the effect with 80 % power, rounded up to two digits; None
    if a million are too few: then only more seeds help."""
    low, high = 2, _MOST_QUESTIONS

    def power(questions: int) -> float:
        return planned(components, replace(design, questions=questions), effect, sampling).power_pct

    if power(high) < 100 * POWER:
        return None
    while high > low * 1.01 + 1:
        middle = round((low * high) ** 0.5)
        low, high = (low, middle) if power(middle) >= 100 * POWER else (middle, high)
    step: int = 10 ** max(0, len(str(high)) - 2)
    return -(-high // step) * step


def _drawn(components: Components, design: Design, sampling: float) -> tuple[Squares, float]:
    """Mean squares as they would be seen, and the true standard error of the difference."""
    k, n = design.seeds, design.questions
    question = design.design_effect * components.question**2
    # The luck of an answer is its own, whatever the question belongs to.
    residual = design.design_effect * components.residual**2 - sampling**2 * (1 - 1 / design.samples)
    alone = max(n / design.design_effect, 2.0)
    freedoms = (k - 1, alone - 1, (k - 1) * (alone - 1))
    expected = (
        (n * components.seed**2 + residual) / (k * n),
        (k * question + residual) / (k * n),
        residual / (k * n),
    )
    points = stats.qmc.Sobol(3, rng=np.random.default_rng(0)).random(_DRAWS).T
    trainings, asked, answers = (
        mean * 2 * special.gammaincinv(freedom / 2, point) / freedom
        for mean, freedom, point in zip(expected, freedoms, points, strict=True)
    )
    squares = Squares(trainings, asked, answers, np.asarray(float(k - 1)), np.asarray(float(alone - 1)))
    return squares, float((components.seed**2 / k + question / n + residual / (k * n)) ** 0.5)


def _found(effect: float, bound: Floats, error: float) -> float:
    """The share of experiments whose difference has the effect's sign and lies beyond its bound."""
    if not error:
        return float(effect != 0)
    return float(special.ndtr((abs(effect) - bound) / error).mean())


def _detectable(bound: Floats, error: float) -> float:
    low, high = 0.0, 1.0
    while _found(high, bound, error) < POWER:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if _found(middle, bound, error) >= POWER else (middle, high)
    return high


def needs_in_words(components: Components, design: Design, effect: float, sampling: float = 0.0) -> str:
    """How many seeds with the design's questions, or questions with its seeds, find an effect in 80 % of cases."""
    seeds = seeds_needed(components, design, effect, sampling)
    questions = questions_needed(components, design, effect, sampling)
    return sentence(
        "needs.words",
        effect=f"{effect:g}",
        trained=sentence("needs.seeds", n=seeds) if seeds else sentence("needs.more_seeds", n=_MOST_SEEDS),
        questions=f"{design.questions:,}",
        seeds=design.seeds,
        asked=sentence("needs.questions", n=f"{questions:,}") if questions else sentence("needs.no_questions"),
    )
