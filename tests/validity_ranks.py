"""What a board's ranks may be trusted for, over simulated boards whose truth is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from maqa_severity.harness.scores.signatures import RATE
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Resampling, paired_all, rank_intervals, summarise_all
from maqa_severity.tests.claim import Claim
from maqa_severity.tests.worlds import bertscore_like, rouge_like, table

SIZES = {Severity.CRITICAL: 72, Severity.NEUTRAL: 90, Severity.NON_CRITICAL: 138}
N = sum(SIZES.values())
RESAMPLING = Resampling(resamples=999)
WORLDS = 300
ANCHORED = 50
UNEQUAL = np.linspace(1, 8, 20)
LUCK = 100 * 3 * (0.05 * 0.95 / WORLDS) ** 0.5
"""Three standard errors of a share of 5 % of the boards, in percentage points."""


def claims() -> Iterator[Claim]:
    yield equal_systems("BERTScore-like", lambda rng: _question(rng) + 0.5 * bertscore_like(rng, (N, 20)))
    yield equal_systems("ROUGE-like, a third zero", lambda rng: _question(rng) + 0.5 * _mostly_low(rng))
    yield equal_systems(
        "spread 1 to 8 points, and skewed",
        lambda rng: _question(rng) + UNEQUAL * rng.exponential(1, (N, 20)) - UNEQUAL,
    )
    yield equal_systems("severities apart by 30 points, the third varies least", _by_severity)
    yield equal_systems("rates of 90 %", lambda rng: 100.0 * (rng.random((N, 20)) < 0.9), f"{RATE}|version:1")
    yield equal_systems("correlated by 0.99", lambda rng: 8 * _normal(rng, 1) + 0.8 * _normal(rng, 20))
    yield equal_systems("ten copies of one and ten others", _copies)
    yield some_equal()
    yield speed()


def _question(rng: np.random.Generator) -> np.ndarray:
    return rouge_like(rng, (N, 1))


def _normal(rng: np.random.Generator, systems: int) -> np.ndarray:
    return rng.standard_normal((N, systems))


def _mostly_low(rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random((N, 20)) < 1 / 3, 0.0, rouge_like(rng, (N, 20)))


def _by_severity(rng: np.random.Generator) -> np.ndarray:
    place = np.repeat(np.arange(3), list(SIZES.values()))[:, None]
    return 30.0 * place + (6 - 2.5 * place) * _normal(rng, 20)


def _copies(rng: np.random.Generator) -> np.ndarray:
    own = 5 * _normal(rng, 11)
    return np.hstack([np.repeat(own[:, :1], 10, axis=1), own[:, 1:]])


def equal_systems(
    name: str, draw: Callable[[np.random.Generator], np.ndarray], signature: str = "version:1"
) -> Claim:
    """Boards of 20 equal systems on which one rank interval excludes another, and on which any is told apart:
    the latter is the family-wise error, at the level itself."""
    rng = np.random.default_rng(1)
    narrow = apart = anchored = 0
    for world in range(WORLDS):
        tables = _tables(draw(rng), signature)
        intervals = rank_intervals(tables, "m0", RESAMPLING).intervals
        narrow += any(interval != (1, 20) for interval in intervals)
        apart += max(low for low, _ in intervals) > min(high for _, high in intervals)
        anchored += world < ANCHORED and _anchored(tables)
    shares = 100 * narrow / WORLDS, 100 * apart / WORLDS
    return Claim(
        f"20 equal systems, {name}, {N} answers, {WORLDS} boards: one rank excludes another / any but 1-20",
        f"{shares[1]:.1f} / {shares[0]:.1f} %",
        f"ties against an anchor: {100 * anchored / ANCHORED:.0f} %",
        f"<= 6 % / <= 5 % ± {LUCK:.1f}",
        shares[1] <= 6 and shares[0] <= 5 + LUCK,
        (anchored / ANCHORED) / (max(narrow, 1) / WORLDS),
    )


def some_equal() -> Claim:
    """Ten better, ten worse systems: an interval that lacks a rank that the system truly holds."""
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(WORLDS):
        values = bertscore_like(rng, (N, 1)) + 6 * rng.standard_normal((N, 20))
        values[:, :10] += 5
        intervals = rank_intervals(_tables(values), "m0", RESAMPLING).intervals
        better, worse = intervals[:10], intervals[10:]
        missed += any(interval != (1, 10) for interval in better) or any(interval != (11, 20) for interval in worse)
    return Claim(
        f"two tiers of ten equal systems, {WORLDS} boards: an interval that is not its whole tier",
        f"{100 * missed / WORLDS:.1f} %",
        "-",
        "<= 6 %",
        missed <= 0.06 * WORLDS,
    )


def speed() -> Claim:
    """The ranks of 20 runs of 2,000 answers beside everything that a board of 12 metrics asks else."""
    sizes = {Severity.CRITICAL: 480, Severity.NEUTRAL: 600, Severity.NON_CRITICAL: 920}
    rng = np.random.default_rng(0)
    tables = [table(sizes, bertscore_like(rng, (2000, 12))) for _ in range(20)]
    start = time.process_time()
    summarise_all(tables)
    paired_all(tables[0], tables[1:], tables[0].metrics)
    rest = time.process_time() - start
    rank_intervals(tables, "m0")
    whole = time.process_time() - start
    return Claim(
        "20 runs x 2,000 answers x 12 metrics x 10,000 resamples: with ranks, over without",
        f"{whole:.2f} s",
        f"{rest:.2f} s",
        "<= 1.5",
        whole <= 1.5 * rest,
        whole / rest,
    )


def _tables(values: np.ndarray, signature: str = "version:1") -> list:
    return [table(SIZES, column[:, None], signature) for column in values.T]


def _anchored(tables: list) -> bool:
    """Whether the best is told apart from any other at 5 % a pair, as a tie against an anchor has it."""
    best = max(tables, key=lambda each: each.frame["m0"].mean())
    found = paired_all(best, [each for each in tables if each is not best], ["m0"], RESAMPLING)
    return any(changes[-1].p < 0.05 for changes in found)
