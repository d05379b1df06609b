"""n, mean and 95 % interval of every metric per severity and overall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..scores.signatures import is_rate
from ..scores.table import ScoreTable
from .bootstrap import Floats, Resampled
from .checks import check_scores
from .clusters import effective_sizes
from .columns import STRATA, Block, stack
from .intervals import LEVEL, Method, bca, described, wilson
from .resampling import USUAL, Resampling


@dataclass(frozen=True)
class Summary:
    """One metric in one stratum (a severity or ``overall``), in percent.

    ``mean`` is NaN where the metric applies to no answer; ``low`` and ``high`` are None where ``method`` says why.
    ``effective_n`` is of clustered answers: how many independent ones they are worth; NaN for one cluster.
    """

    metric: str
    stratum: str
    n: int
    mean: float
    low: float | None
    high: float | None
    method: Method
    effective_n: float | None = None


def summarise(scores: ScoreTable, resampling: Resampling = USUAL) -> list[Summary]:
    """Summaries of one run, metric by metric in the table's order, four strata each in the order of ``STRATA``.

    Raises:
        UserError: the scores cannot be used; see ``check_scores``.
    """
    return summarise_all([scores], resampling)[0]


def summarise_all(tables: Sequence[ScoreTable], resampling: Resampling = USUAL) -> list[list[Summary]]:
    """Summaries of several runs. Runs of the same answers share their resamples, which also makes this fast.

    Means get BCa intervals, rates Wilson's, of clustered answers with as many as they are worth; the overall
    interval of a mean is stratified, that of a rate is not and so errs on the long side where the severities' rates
    differ.

    Raises:
        UserError: the scores cannot be used; see ``check_scores``.
    """
    for table in tables:
        check_scores(table)
    made: dict[tuple[int, str, str], Summary] = {}
    for block in stack(tables):
        rates = np.array([is_rate(tables[index].signatures[metric]) for index, metric in block.owners])
        for index, summary in _block_summaries(block, rates, resampling):
            made[index, summary.metric, summary.stratum] = summary
    return [
        [
            made.get((index, metric, stratum))
            or Summary(metric, stratum, 0, float("nan"), None, None, Method.TOO_FEW)
            for metric in table.metrics
            for stratum in STRATA
        ]
        for index, table in enumerate(tables)
    ]


def mean_interval(resampled: Resampled) -> tuple[Floats, Floats]:
    """BCa interval of the mean over all rows of one or several strata, whose shares are kept."""
    n = sum(len(sample) for sample in resampled.samples)
    estimate = np.concatenate(resampled.samples).mean(axis=0)
    weighted = [means * (len(sample) / n) for sample, means in zip(resampled.samples, resampled.means, strict=True)]
    influence = [(sample - sample.mean(axis=0)) / n for sample in resampled.samples]
    return bca(estimate, np.sum(weighted, axis=0), resampled.drawn(influence))


def _block_summaries(
    block: Block, rates: npt.NDArray[np.bool_], resampling: Resampling
) -> Iterator[tuple[int, Summary]]:
    means = block.of(block.values[:, ~rates])
    bootstrapped = means.resampled(resampling) if not rates.all() else {}
    for place, stratum in enumerate(STRATA):
        values = block.stratum(place)
        n = len(values)
        together = block.together(place)
        low, high = np.full((2, values.shape[1]), np.nan)
        counted: list[float | None] = [None] * values.shape[1]
        if n > 1:
            events = (values[:, rates] == 100).sum(axis=0)
            if together is None:
                low[rates], high[rates] = wilson(events, n)
            else:
                worth = effective_sizes(values, together, LEVEL)
                low[rates], high[rates] = wilson(events / n * worth[rates], worth[rates])
                counted = [float(size) for size in worth]
        alone = together is not None and not together.max()
        if place in bootstrapped:
            low[~rates], high[~rates] = mean_interval(bootstrapped[place])
        for column, (index, metric) in enumerate(block.owners):
            method = Method.WILSON if rates[column] else Method.BCA
            interval = described(n, low[column], high[column], method, alone)
            mean = float(values[:, column].mean()) if n else float("nan")
            yield index, Summary(metric, stratum, n, mean, *interval, counted[column])
