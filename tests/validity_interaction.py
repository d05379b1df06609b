"""What the words "severity-specific" may be trusted for: how often a uniform gain gets them, and a planted one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Resampling, interactions, paired
from maqa_severity.harness.statistics.crossed_interaction import (
    InteractionComponents,
    contrast_squares,
    planned_interaction,
)
from maqa_severity.harness.statistics.divisions import divided, welch
from maqa_severity.harness.statistics.power import Design
from maqa_severity.tests.claim import Claim
from maqa_severity.tests.worlds import rouge_like, table, welch_power_pct
from scipy import special

RESAMPLING = Resampling(resamples=399)
WORLDS = 2000
TRAINED = 1500
OTHERS = 500
"""Questions in non_critical."""
SIZES = (34, 112, 500)
SEED_SDS = (0.0, 0.5, 1.5)
"""Of what one training of one arm moves a severity by, in points."""
ANSWER_SD, QUESTION_SD = 4.0, 3.0
GAIN = 2.0

Draw = Callable[[np.random.Generator, int, bool], np.ndarray]
"""Paired differences (n, ``WORLDS``) that gain ``GAIN``, of critical or not."""


def _zeros(rng: np.random.Generator, n: int) -> np.ndarray:
    """ROUGE-like, and half of them 0, as where answer and reference share no word."""
    return np.where(rng.random((n, WORLDS)) < 0.5, 0.0, rouge_like(rng, (n, WORLDS)))


KINDS: dict[str, Draw] = {
    "normal": lambda rng, n, _: rng.normal(GAIN, 4, (n, WORLDS)),
    "critical varies 4 times as much": lambda rng, n, critical: rng.normal(
        GAIN, 12 if critical else 3, (n, WORLDS)
    ),
    "critical varies a quarter": lambda rng, n, critical: rng.normal(GAIN, 3 if critical else 12, (n, WORLDS)),
    "ROUGE-like, half zeros": lambda rng, n, _: GAIN + _zeros(rng, n) - _zeros(rng, n),
    "ROUGE-like, half zeros, critical varies twice as much": lambda rng, n, critical: (
        GAIN + (2 if critical else 1) * (_zeros(rng, n) - _zeros(rng, n))
    ),
    "a gain in three of ten answers": lambda rng, n, _: np.where(
        rng.random((n, WORLDS)) < 0.3, rng.exponential(GAIN / 0.3, (n, WORLDS)), 0.0
    ),
}


def claims() -> Iterator[Claim]:
    rng = np.random.default_rng(0)
    yield today(rng)
    for kind, draw in KINDS.items():
        yield between_checkpoints(rng, kind, draw)
    for seeds in (3, 5):
        for paired_seeds in (True, False):
            yield between_arms(rng, seeds, paired_seeds)
    for shape in ((34, 4.0), (112, 2.0), (500, 1.0)):
        yield power_between_checkpoints(rng, *shape)
    for design in ((3, 112, 0.0, 2.0), (5, 112, 0.5, 2.0), (5, 500, 0.5, 1.5), (10, 500, 1.5, 3.0)):
        yield power_between_arms(rng, *design)


def today(rng: np.random.Generator) -> Claim:
    """A uniform gain that is found in one severity and not in the other: how often, and how often it is said."""
    sizes = {Severity.CRITICAL: 500, Severity.NON_CRITICAL: 60}
    n, worlds = sum(sizes.values()), 300
    before = rng.normal(60, 5, (n, worlds))
    first, second = table(sizes, before), table(sizes, before + rng.normal(0.8, 4, (n, worlds)))
    changes = paired(first, second, *first.metrics, resampling=RESAMPLING)
    verdicts = {(each.metric, each.stratum): each.p is not None and each.p < 0.05 for each in changes}
    one = [verdicts[name, "critical"] and not verdicts[name, "non_critical"] for name in first.metrics]
    alone = [
        interactions({None: first}, {None: second}, [name], RESAMPLING)[0].specific for name in first.metrics[:100]
    ]
    return Claim(
        f"a uniform gain of 0.8 points, {sizes[Severity.CRITICAL]} critical and 60 non_critical: severity-specific",
        f"{100 * np.mean(alone):.1f} %",
        f"found in critical and not in non_critical: {100 * np.mean(one):.0f} %",
        "<= 6 %",
        bool(np.mean(alone) <= 0.06),
    )


def between_checkpoints(rng: np.random.Generator, kind: str, draw: Draw) -> Claim:
    found, either, plain = [], [], []
    for n in SIZES:
        here, there = draw(rng, n, True), draw(rng, OTHERS, False)
        rejected = divided(here, there, RESAMPLING).p < 0.05
        mean = here.mean(axis=0) - there.mean(axis=0)
        square, freedom = welch(here, there)
        student = 2 * special.stdtr(freedom, -np.abs(mean) / np.sqrt(square)) < 0.05
        found.append(100 * float((rejected & (mean > 0) & (here.mean(axis=0) > 0)).mean()))
        either.append(100 * float(rejected.mean()))
        plain.append(100 * float(student.mean()))
    return Claim(
        f"two checkpoints, uniform gain, {kind}, n critical {_list(SIZES, 0)} of {OTHERS} others: specific / any",
        f"{_list(found)} % / {_list(either)} %",
        f"Welch, any {_list(plain)} %",
        "<= 6 % / <= 6 % ± 1.5",
        max(found) <= 6 and max(either) <= 7.5,
    )


def trained(
    rng: np.random.Generator,
    n: int,
    seeds: int,
    seed_sd: float,
    gains: tuple[float, float],
    paired_seeds: bool = True,
) -> tuple[bool, bool]:
    """One world of two arms over trainings: whether critical is found to gain more, and whether any differs."""
    sides = []
    for size, gain in ((n, gains[0]), (OTHERS, gains[1])):
        moved = gain + rng.normal(0, QUESTION_SD, size)
        sides.append(
            [
                shift + rng.normal(0, seed_sd, (seeds, 1)) + rng.normal(0, ANSWER_SD, (seeds, size))
                for shift in (0.0, moved)
            ]
        )
    squares, _ = contrast_squares(sides[0], sides[1], paired_seeds)
    change = [float(other.mean() - one.mean()) for one, other in sides]
    mean = change[0] - change[1]
    rejected = abs(mean) > float(squares.critical(0.05)) * float(squares.error)
    return rejected and mean > 0 and change[0] > 0, rejected


def between_arms(rng: np.random.Generator, seeds: int, paired_seeds: bool) -> Claim:
    worlds = [
        [[trained(rng, n, seeds, sd, (GAIN, GAIN), paired_seeds) for _ in range(TRAINED)] for sd in SEED_SDS]
        for n in SIZES
    ]
    shares = 100 * np.array(worlds).mean(axis=2).max(axis=0)
    words = "paired by seed" if paired_seeds else "of other seeds"
    return Claim(
        f"arms of {seeds} trainings {words}, uniform gain, seed SD {_list(SEED_SDS)}: specific / any, worst of n",
        f"{_list(shares[:, 0])} % / {_list(shares[:, 1])} %",
        "nominal 5 % / 5 %",
        "<= 6 % / <= 6 % ± 1.7",
        bool(shares[:, 0].max() <= 6 and shares[:, 1].max() <= 7.7),
    )


def power_between_checkpoints(rng: np.random.Generator, n: int, effect: float) -> Claim:
    here, there = rng.normal(effect, 6, (n, WORLDS)), rng.normal(0, 4, (OTHERS, WORLDS))
    found = 100 * float((divided(here, there, RESAMPLING).p < 0.05).mean())
    return _promised(
        f"two checkpoints, {effect:g} points in {n} critical alone", welch_power_pct(6, 4, n, OTHERS, effect), found
    )


def power_between_arms(rng: np.random.Generator, seeds: int, n: int, seed_sd: float, effect: float) -> Claim:
    # Of two arms in each of two severities, so four times one training's variance.
    parts = InteractionComponents(2 * seed_sd, QUESTION_SD, QUESTION_SD, *(2 * [2**0.5 * ANSWER_SD]))
    design, shares = Design(seeds, n + OTHERS), (n / (n + OTHERS), OTHERS / (n + OTHERS))
    promised = planned_interaction(parts, design, shares, effect).power_pct
    found = [trained(rng, n, seeds, seed_sd, (effect, 0.0))[0] for _ in range(TRAINED)]
    what = f"arms of {seeds} trainings, seed SD {seed_sd:g}, {effect:g} points in {n} critical alone"
    return _promised(what, promised, 100 * float(np.mean(found)))


def _promised(what: str, promised: float, found: float) -> Claim:
    return Claim(
        f"power for severity-specific: {what}",
        f"promised {promised:.1f} %",
        f"found {found:.1f} %",
        "within 5",
        abs(promised - found) <= 5,
    )


def _list(values, digits: int = 1) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in values)
