"""Whether `maqa power` promises what `maqa compare --arms` finds, and what a declared analysis does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from maqa_severity.harness.runs.analysis import Analysis, Contrast, Looks
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import OVERALL, Resampling, compare_groups
from maqa_severity.harness.statistics.power import Design, planned
from maqa_severity.tests.claim import Claim
from maqa_severity.tests.test_analysis import judged
from maqa_severity.tests.validity_arms import ANSWER_SD, QUESTION_SD, of_arms
from maqa_severity.tests.worlds import table
from scipy import stats

SIZES = {Severity.CRITICAL: 60, Severity.NEUTRAL: 90, Severity.NON_CRITICAL: 150}
WORLDS, ROUNDS = 400, 3


def tables(rng: np.random.Generator, seeds: int, seed_sd: float, effect: float):
    """The trainings of one arm in all worlds: it moves the questions on the average, and each by itself."""
    n = sum(SIZES.values())
    moved = effect + rng.normal(0, QUESTION_SD, (n, WORLDS))
    return {
        seed: table(SIZES, 60 + moved + rng.normal(0, seed_sd, WORLDS) + rng.normal(0, ANSWER_SD, (n, WORLDS)))
        for seed in range(seeds)
    }


def verdicts(rng: np.random.Generator, seeds: int, seed_sd: float, effects: tuple[float, ...]) -> np.ndarray:
    """Whether an arm is found better than others that fall short of it by ``effects``, (others, worlds)."""
    arm = tables(rng, seeds, seed_sd, 0.0)
    found = []
    for effect in effects:
        other = tables(rng, seeds, seed_sd, -effect)
        changes = compare_groups(other, arm, list(arm[0].metrics), Resampling(resamples=100)).differences
        overall = [each for each in changes if each.stratum == OVERALL]
        found.append([each.p is not None and each.p < 0.05 and each.mean > 0 for each in overall])
    return np.array(found)


def wrongly_found_pct(rng: np.random.Generator, worlds: int = 1500) -> float:
    """How often anything is found at one of two looks where one primary test of two has an effect, in percent."""
    at = [0.5, 1.0]
    analysis = Analysis(
        primary="m", secondary=["x"], contrasts=[Contrast(arm="s", against=["ce"])], looks=Looks(at=at)
    )
    walks = np.cumsum(rng.normal(0, 0.5**0.5, (worlds, 2, 4)), axis=1) / np.sqrt(at)[:, None]
    walks[:, :, 0] += 6
    wrong = 0
    for walk in walks:
        found = False
        for look, z in enumerate(walk, start=1):
            p = 2 * stats.norm.sf(np.abs(z))
            made = [{"m": (z[i], p[i]), "x": (z[i + 1], p[i + 1])} for i in (0, 2)]
            tests = judged(analysis, {"one": {"ce": made[0]}, "two": {"ce": made[1]}}, look)[0].tests
            found |= any(
                test.verdict in ("gain", "loss") for test in tests if (test.model, test.metric) != ("one", "m")
            )
        wrong += found
    return 100 * wrong / worlds


def claims() -> Iterator[Claim]:
    rng = np.random.default_rng(0)
    wrong = wrongly_found_pct(rng)
    yield Claim(
        "a declared analysis with two looks and a gate: anything found that is not there",
        f"{wrong:.1f} %",
        "nominal 5 %",
        "<= 6 %",
        wrong <= 6,
    )
    n = sum(SIZES.values())
    # Both arms move each question apart, so the difference has √2 times one arm's deviation.
    for seeds, seed_sd, effect in ((3, 0.5, 2.0), (5, 0.5, 1.2), (5, 1.0, 1.8), (10, 1.0, 1.4)):
        components = of_arms(seed_sd, 2**0.5 * QUESTION_SD)
        promised = planned(components, Design(seeds, n), effect).power_pct
        found = 100 * np.mean([verdicts(rng, seeds, seed_sd, (effect,)).mean() for _ in range(ROUNDS)])
        yield Claim(
            f"maqa power, from score tables: {effect:g} points, seed SD {seed_sd:g}, {seeds} seeds, {n} questions",
            f"found {found:.1f} %",
            f"promised {promised:.1f} %",
            "within 5",
            abs(promised - found) <= 5,
        )
    made = np.concatenate([verdicts(rng, 3, 0.5, (4.0, 0.0)) for _ in range(ROUNDS)], axis=1)
    helps = 100 * made.all(axis=0).mean()
    yield Claim(
        "severity-aware training helps, said where it beats ce by 4 points and a control by none",
        f"{helps:.1f} %",
        f"against ce alone {100 * made[0].mean():.1f} %",
        "<= 5 %",
        helps <= 5,
    )
