"""Training seeds: a level of variation of its own, never pooled with the rows.

Resampling test rows says how the score would vary over other questions. It says nothing about how it would vary
over other trainings, which only several trainings can show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from ..core.errors import UserError
from ..scores.table import ScoreTable
from .checks import refuse_unlike
from .intervals import LEVEL
from .resampling import USUAL, Resampling
from .summary import Summary, summarise_all


@dataclass(frozen=True)
class SeedSummary:
    """One metric in one stratum over several trainings of the same arm.

    Attributes:
        mean: over the seeds' means, in percent.
        deviation: standard deviation between the seeds' means; None for one seed.
        low, high: Student's 95 % interval of the mean over seeds, on these rows; None for one seed.
        rows: each seed's own summary, with its interval over rows.
    """

    metric: str
    stratum: str
    seeds: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None
    rows: tuple[Summary, ...]


def across_seeds(runs: Sequence[ScoreTable], resampling: Resampling = USUAL) -> list[SeedSummary]:
    """Summaries over runs that differ in their training seed alone, in the order of ``summarise``.

    Args:
        runs: one score table per training, of the same answers and metrics.
        resampling: of the intervals over rows.

    Raises:
        UserError: the runs are of other rows, metrics or signatures, or their scores cannot be used.
    """
    for run in runs[1:]:
        refuse_unlike(runs[0], run)
        if run.metrics != runs[0].metrics:
            odd = ", ".join(sorted(set(run.metrics) ^ set(runs[0].metrics))) or "in another order"
            raise UserError(f"the seeds' runs hold other metrics: {odd}", "Run `maqa rescore` on all of them")
    return [_over(rows) for rows in zip(*summarise_all(runs, resampling), strict=True)]


def _over(rows: tuple[Summary, ...]) -> SeedSummary:
    means = np.array([row.mean for row in rows])
    count, mean = len(rows), float(means.mean())
    if count < 2:
        return SeedSummary(rows[0].metric, rows[0].stratum, count, mean, None, None, None, rows)
    deviation = float(means.std(ddof=1))
    half = float(special.stdtrit(count - 1, (1 + LEVEL) / 2)) * deviation / count**0.5
    return SeedSummary(rows[0].metric, rows[0].stratum, count, mean, deviation, mean - half, mean + half, rows)
