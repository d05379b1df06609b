"""What a comparison of arms may be trusted for: its level, its coverage, and the power that is promised."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Resampling, compare_groups, paired
from maqa_severity.harness.statistics.crossed import Components, Squares
from maqa_severity.harness.statistics.power import Design, planned
from maqa_severity.tests.claim import Claim
from maqa_severity.tests.worlds import table

SEED_SDS = (0.0, 0.5, 1.0, 1.5)
"""Between the trainings of one arm, in points; the difference of two arms has √2 times it."""
ANSWER_SD = 4.0
"""Between two trainings' scores of a question, in one arm."""
QUESTION_SD = 3.0
"""Between questions, in what the arms move them."""
WORLDS = 40_000


def drawn(
    rng: np.random.Generator, components: Components, seeds: int, questions: int, worlds: int = WORLDS
) -> tuple[np.ndarray, Squares]:
    """Mean differences of arms that do not differ, and the mean squares that each world sees.

    The statistics of normal worlds are drawn themselves: they are all that the test looks at.
    """
    n, k = questions, seeds
    expected = (
        n * components.seed**2 + components.residual**2,
        k * components.question**2 + components.residual**2,
        components.residual**2,
    )
    freedoms = (k - 1, n - 1, (k - 1) * (n - 1))
    means = [
        mean * rng.chisquare(freedom, worlds) / freedom / (k * n)
        for mean, freedom in zip(expected, freedoms, strict=True)
    ]
    error = (expected[0] + expected[1] - expected[2]) / (k * n)
    squares = Squares(*means, np.asarray(k - 1.0), np.asarray(n - 1.0))
    return rng.normal(0, error**0.5, worlds), squares


def of_arms(seed_sd: float, question_sd: float = QUESTION_SD) -> Components:
    """The components of a difference of two arms."""
    return Components(2**0.5 * seed_sd, question_sd, 2**0.5 * ANSWER_SD)


def found_pct(rng: np.random.Generator, components: Components, seeds: int, questions: int, effect=0.0) -> float:
    """How often a difference is found, in percent."""
    means, squares = drawn(rng, components, seeds, questions)
    return 100 * float((np.abs(means + effect) > squares.critical(0.05) * squares.error).mean())


def two_checkpoints_pct(rng: np.random.Generator, seed_sd: float, questions: int, worlds: int = 200) -> float:
    """How often two trainings of arms without a difference are told apart, as one would compare two runs."""
    sizes = {Severity.CRITICAL: questions}
    first, second = (
        table(sizes, 60 + rng.normal(0, seed_sd, worlds) + rng.normal(0, ANSWER_SD, (questions, worlds)))
        for _ in range(2)
    )
    changes = paired(first, second, *first.metrics, resampling=Resampling(resamples=100))
    overall = [each.p for each in changes if each.stratum == "overall"]
    return 100 * float(np.mean([p < 0.05 for p in overall if p is not None]))


def arms_from_scores_pct(rng: np.random.Generator, seeds: int, seed_sd: float, paired_seeds: bool) -> float:
    """The same as ``found_pct``, from score tables of three severities through the whole comparison."""
    sizes = {Severity.CRITICAL: 60, Severity.NEUTRAL: 90, Severity.NON_CRITICAL: 150}
    n, worlds = sum(sizes.values()), 400
    moved = rng.normal(0, QUESTION_SD, (n, worlds))
    first, second = (
        {
            seed: table(sizes, 60 + shift + rng.normal(0, seed_sd, worlds) + rng.normal(0, ANSWER_SD, (n, worlds)))
            for seed in range(start, start + seeds)
        }
        for start, shift in ((0, 0.0), (0 if paired_seeds else 100, moved))
    )
    names = list(first[0].metrics)
    changes = compare_groups(first, second, names, Resampling(resamples=100)).differences
    return 100 * float(np.mean([each.p < 0.05 for each in changes if each.stratum == "overall" and each.p]))


def claims() -> Iterator[Claim]:
    rng = np.random.default_rng(0)
    for questions in (300, 2000):
        apart = [two_checkpoints_pct(rng, sd, questions) for sd in SEED_SDS]
        for seeds in (3, 5):
            found = [
                [found_pct(rng, of_arms(sd, question_sd), seeds, questions) for sd in SEED_SDS]
                for question_sd in (0.0, QUESTION_SD, 2 * QUESTION_SD)
            ]
            where = f"{seeds} seeds, {questions:,} questions"
            worst, least = np.max(found, axis=0), np.min(found, axis=0)
            yield Claim(
                f"arms without a difference, {where}: most verdicts at seed SD 0 / 0.5 / 1 / 1.5",
                f"{_list(worst)} %",
                f"two checkpoints {_list(apart)} %",
                "<= 6 %",
                bool(worst.max() <= 6),
            )
            yield Claim(
                f"the arms' difference, {where}: coverage at seed SD 0.5 / 1 / 1.5, over question SDs",
                f"{_list(100 - worst[1:])} to {_list(100 - least[1:])} %",
                "nominal 95 %",
                "93-97 %",
                bool(worst[1:].max() <= 7 and least[1:].min() >= 3),
            )
            yield Claim(
                f"the arms' difference, {where}: coverage where trainings do not differ, which few cannot show",
                f"{100 - worst[0]:.1f} to {100 - least[0]:.1f} %",
                "nominal 95 %",
                ">= 93 %",
                bool(worst[0] <= 7),
            )
    for paired_seeds in (True, False):
        found = [arms_from_scores_pct(rng, 3, sd, paired_seeds) for sd in (0.5, 1.5)]
        words = "paired by seed" if paired_seeds else "of other seeds"
        yield Claim(
            f"the same from score tables of three severities, 3 trainings each {words}, seed SD 0.5 / 1.5",
            f"{_list(found)} %",
            "nominal 5 %",
            "<= 6 % ± 2.4",
            max(found) <= 8.4,
        )
    yield from power_claims(rng)


def power_claims(rng: np.random.Generator) -> Iterator[Claim]:
    for sd, seeds, questions, effect in (
        (0.5, 3, 300, 2.0),
        (0.5, 5, 2000, 1.5),
        (1.0, 5, 300, 2.5),
        (1.5, 10, 2000, 2),
    ):
        components = of_arms(sd)
        promised = planned(components, Design(seeds, questions), effect).power_pct
        found = found_pct(rng, components, seeds, questions, effect)
        yield Claim(
            f"maqa power: {effect:g} points, seed SD {sd:g}, {seeds} seeds, {questions:,} questions",
            f"promised {promised:.1f} %",
            f"found {found:.1f} %",
            "within 5",
            abs(promised - found) <= 5,
        )


def _list(values) -> str:
    return " / ".join(f"{value:.1f}" for value in values)
