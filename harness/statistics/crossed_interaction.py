"""A difference of two severities' changes over questions and trainings: variance components and their power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .bootstrap import Floats
from .clusters import Ints
from .crossed import Components, Squares, joined_freedom, squares_of
from .power import Design, Planned, planned
from .verdicts import ALPHA


@dataclass(frozen=True)
class InteractionComponents:
    """Standard deviations of what makes the difference of two severities' changes vary, in points.

    ``seed`` is what a training moves the one severity more than the other. The others are of one severity each, as
    in ``Components``: what the arms move on a question in every training, and the rest.
    """

    seed: float
    question_here: float
    question_there: float
    residual_here: float
    residual_there: float


def contrast_squares(
    here: Sequence[Floats], there: Sequence[Floats], by_seed: bool, clusters: Sequence[Ints | None] = (None, None)
) -> tuple[Squares, InteractionComponents]:
    """Mean squares of the change in one severity less that in the other.

    Their questions are other ones, so the parts over questions add up (Satterthwaite 1946, doi 10.2307/3002019). A
    training moves both severities at once, so the part over trainings is from each training's own difference.

    Args:
        here, there: the scores (trainings, questions) of the first and the second arm in one severity each, two
            questions and two trainings at least.
        by_seed: whether the arms' trainings are paired.
        clusters: each severity's; None where its questions stand alone, else two at least.
    """
    parts, components = [], []
    for (one, other), together in zip((here, there), clusters, strict=True):
        blocks = [other - one] if by_seed else [one, other]
        codes = np.zeros(one.shape[1], np.int64)
        found = squares_of(blocks, other.mean(axis=0) - one.mean(axis=0), codes, together)
        parts.append(found[0])
        components.append(found[1])
    means = [scores.mean(axis=1) for scores in (*here, *there)]
    contrasts = [means[0] - means[2], means[1] - means[3]]
    if by_seed:
        contrasts = [contrasts[1] - contrasts[0]]
    between = [(float(each.var(ddof=1)), len(each)) for each in contrasts]
    trainings = joined([(square / k, k - 1.0) for square, k in between])
    questions = joined([(float(part.questions), float(part.question_freedom)) for part in parts])
    answers = sum(float(part.answers) for part in parts)
    squares = Squares(*map(np.asarray, (trainings[0], questions[0], answers, trainings[1], questions[1])))
    usual = len(between) / sum(1 / k for _, k in between)
    seed = max(0.0, trainings[0] - answers) * usual
    first, second = components
    return squares, InteractionComponents(
        seed**0.5, first.question, second.question, first.residual, second.residual
    )


def planned_interaction(
    components: InteractionComponents,
    design: Design,
    shares: tuple[float, float],
    effect: float,
    sampling: float = 0.0,
    alpha: float = ALPHA,
) -> Planned:
    """The power to find that one severity changes by ``effect`` points more than another, by ``planned``.

    Args:
        components: at one sample per answer.
        design: two seeds at least, paired; its questions are those of all severities.
        shares: of the questions, those in the one and in the other severity; of each there are two at least.
        effect: the true difference of the changes, in points.
        sampling: which part of both residuals is the luck of the answer, as of ``planned``.
        alpha: the level, of one two-sided test.
    """
    here, there = (max(2, round(share * design.questions)) for share in shares)
    # What is left is multiplied by the design effect, and the luck of an answer is not.
    less = sampling**2 * (1 - 1 / design.samples) / design.design_effect
    sampled = replace(
        components,
        residual_here=max(components.residual_here**2 - less, 0.0) ** 0.5,
        residual_there=max(components.residual_there**2 - less, 0.0) ** 0.5,
    )
    joined, questions = as_one(sampled, here, there)
    found = planned(
        joined, Design(design.seeds, questions, design_effect=design.design_effect), effect, alpha=alpha
    )
    return Planned(design, found.power_pct, found.detectable)


def as_one(components: InteractionComponents, here: int, there: int) -> tuple[Components, int]:
    """Components and questions of a single mean with the same standard error: with about as many questions as the
    harmonic sum of both, 1 / (1 / here + 1 / there)."""
    questions = max(2, round(1 / (1 / here + 1 / there)))
    squares = (
        questions * (one**2 / here + other**2 / there)
        for one, other in (
            (components.question_here, components.question_there),
            (components.residual_here, components.residual_there),
        )
    )
    question, residual = squares
    return Components(components.seed, question**0.5, residual**0.5), questions


def joined(terms: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """A sum of squared standard errors with its degrees of freedom (Satterthwaite 1946, doi 10.2307/3002019); all
    of them where nothing varies."""
    return sum(square for square, _ in terms), joined_freedom(terms)
