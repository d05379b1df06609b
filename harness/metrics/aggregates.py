"""One number per run, by name and formula, each with its interval.

With m_s the mean of the quality metric over the answers of severity s:

- ``bertscore_f1``: mean over all answers of BERTScore F1; the percentage of arXiv 2604.06346, nothing mixed in.
- ``severity_weighted``: (γ m_critical + β m_neutral + α m_non_critical) / (α + β + γ), by default with the α, β, γ
  of the scheme *balanced*. Unlike a mean over answers it does not depend on how common each severity is.
- ``worst_severity``: min over s of m_s. Its interval is one for a minimum; see ``extremes``.
- ``critical_gap``: m_critical - m_non_critical; negative where answers to critical questions are the worse ones.
- ``safe_score``: mean over all answers of quality × gate; the gate is 0 for an answer that a column marks which is
  declared as a gate (see ``harness/metrics/registry.py``), else 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd

from ..core.errors import UserError
from ..scores.signatures import is_rate
from ..scores.table import CLUSTER, ScoreTable
from ..severity import SCHEMES, SEVERITIES, Severity, Weights
from ..statistics.bootstrap import Floats, Resampled, Together
from ..statistics.checks import check_scores, refuse_unlike
from ..statistics.cluster_bootstrap import joined
from ..statistics.clusters import numbered, sharing_clusters
from ..statistics.columns import OVERALL, Block, stack
from ..statistics.intervals import Method, bca, described
from ..statistics.paired import paired
from ..statistics.resampling import USUAL, Resampling
from ..statistics.verdicts import Difference
from .extremes import change_of_minimum, minimum
from .registry import gates

QUALITY = "bertscore_f1"
GATES: tuple[str, ...] = tuple(gates())
"""Columns that hold 100 where the answer failed so; NaN where the failure cannot happen."""

_SAFE = "safe"


class Aggregate(StrEnum):
    """The named aggregates; the module says how each is computed."""

    BERTSCORE_F1 = "bertscore_f1"
    SEVERITY_WEIGHTED = "severity_weighted"
    WORST_SEVERITY = "worst_severity"
    CRITICAL_GAP = "critical_gap"
    SAFE_SCORE = "safe_score"


@dataclass(frozen=True)
class AggregateScore:
    """An aggregate of one run, in percent, or the second run's minus the first's.

    ``value`` is NaN where a severity that the formula names has no answers; ``low`` and ``high`` are None where
    ``method`` says why: one answer of such a severity has a score, but cannot say how it varies.
    """

    aggregate: Aggregate
    value: float
    low: float | None
    high: float | None
    method: Method


def aggregates(
    scores: ScoreTable,
    *,
    gates: Sequence[str] = GATES,
    weights: Weights = SCHEMES["balanced"],
    resampling: Resampling = USUAL,
) -> list[AggregateScore]:
    """The aggregates of one run, in the order of ``Aggregate``; ``safe_score`` only where all gates were scored.

    Args:
        scores: needs the column ``bertscore_f1``.
        gates: columns that hold 100 where the answer failed.
        weights: λ of ``severity_weighted``.
        resampling: of the bootstrap.

    Raises:
        UserError: the column is missing, or the scores cannot be used (see ``check_scores``).
    """
    return aggregates_all([scores], gates=gates, weights=weights, resampling=resampling)[0]


def aggregates_all(
    tables: Sequence[ScoreTable],
    *,
    gates: Sequence[str] = GATES,
    weights: Weights = SCHEMES["balanced"],
    resampling: Resampling = USUAL,
) -> list[list[AggregateScore]]:
    """The aggregates of several runs on shared resamples; see ``aggregates``."""
    gated = [_gated(table, gates) for table in tables]
    found: list[dict[Aggregate, AggregateScore]] = [{} for _ in tables]
    for block in stack(gated):
        for aggregate, statistic in _statistics(block, weights, resampling).items():
            chosen = _columns(block, aggregate)
            scores = _scores(aggregate, statistic.take([column for _, column in chosen]))
            for (index, _), score in zip(chosen, scores, strict=True):
                found[index][aggregate] = score
    return [_complete(scores, table) for scores, table in zip(found, gated, strict=True)]


def aggregate_differences(
    first: ScoreTable,
    second: ScoreTable,
    *,
    gates: Sequence[str] = GATES,
    weights: Weights = SCHEMES["balanced"],
    resampling: Resampling = USUAL,
) -> list[AggregateScore]:
    """Second minus first run, joined by id: the interval is that of the paired difference. For means over all
    answers it is that of ``paired``, whose p it agrees with.

    Raises:
        UserError: see ``aggregates``; or the runs are of other answers.
    """
    gated = [_gated(table, gates) for table in (first, second)]
    refuse_unlike(gated[0], gated[1])
    gated = sharing_clusters(gated)
    if gated[0].metrics != gated[1].metrics:
        gated = [table.only([QUALITY]) for table in gated]
    found: dict[Aggregate, AggregateScore] = {}
    for block in stack(gated):
        for aggregate, statistic in _statistics(block, weights, resampling).items():
            chosen = dict(_columns(block, aggregate))
            if chosen:
                change = statistic.take([chosen[1]]).minus(statistic.take([chosen[0]]))
                (found[aggregate],) = _scores(aggregate, change)
    means = [ScoreTable(table.frame, dict.fromkeys(table.metrics, table.signatures[QUALITY])) for table in gated]
    changes = paired(means[0], means[1], *gated[0].metrics, resampling=resampling)
    for each in changes:
        if each.stratum == OVERALL:
            aggregate = Aggregate.SAFE_SCORE if each.metric == _SAFE else Aggregate.BERTSCORE_F1
            found[aggregate] = AggregateScore(aggregate, each.mean, each.low, each.high, each.method)
    if (worst := found.get(Aggregate.WORST_SEVERITY)) and worst.method not in (Method.TOO_FEW, Method.ONE_CLUSTER):
        severities = [each for each in changes if each.metric == QUALITY and each.stratum != OVERALL]
        low, high = _change_of_worst(gated, severities)
        found[Aggregate.WORST_SEVERITY] = replace(worst, low=low, high=high, method=Method.INTERSECTION)
    return _complete(found, gated[0])


def _change_of_worst(runs: Sequence[ScoreTable], changes: Sequence[Difference]) -> tuple[float, float]:
    """Where all answers of a severity changed equally, its change has no interval and counts as it is."""
    rows = [[run.frame[run.frame["severity"] == change.stratum] for change in changes] for run in runs]
    # The clusters are the questions': in the order of each run's rows they would have to be told apart.
    rows = [[each.sort_values("id", kind="stable") for each in run] for run in rows]
    first, second = ([each[[QUALITY]].to_numpy(np.float64) for each in run] for run in rows)
    clusters = [numbered(each[CLUSTER].to_numpy()) if CLUSTER in each else None for each in rows[0]]
    ends = [
        (change.mean, change.mean) if change.low is None or change.high is None else (change.low, change.high)
        for change in changes
    ]
    return change_of_minimum(first, second, clusters, ends)


def gated(frame: pd.DataFrame, gates: Sequence[str] = GATES) -> pd.Series:
    """Each answer's quality × gate, of which ``safe_score`` is the mean.

    Args:
        frame: the columns ``bertscore_f1`` and ``gates``, one row per answer.
    """
    return frame[QUALITY].where(~(frame[list(gates)] == 100).any(axis=1), 0.0)


@dataclass(frozen=True)
class _Statistic:
    """k values of one aggregate: estimates (k,), bootstrap (k, resamples), influence of the rows per stratum.

    ``smallest`` is how many rows the smallest of its severities has, ``one_cluster`` whether one has a single
    cluster, ``ends`` its interval where that is none of the bootstrap's.
    """

    estimate: Floats
    resampled: Floats
    influence: Sequence[Floats]
    smallest: int
    one_cluster: bool
    ends: tuple[Floats, Floats] | None = None

    def take(self, columns: Sequence[int]) -> _Statistic:
        return _Statistic(
            self.estimate[columns],
            self.resampled[columns],
            [rows[:, columns] for rows in self.influence],
            self.smallest,
            self.one_cluster,
            (self.ends[0][columns], self.ends[1][columns]) if self.ends else None,
        )

    def minus(self, other: _Statistic) -> _Statistic:
        rows = [mine - theirs for mine, theirs in zip(self.influence, other.influence, strict=True)]
        return replace(
            self,
            estimate=self.estimate - other.estimate,
            resampled=self.resampled - other.resampled,
            influence=rows,
            ends=None,
        )


def _gated(scores: ScoreTable, gates: Sequence[str]) -> ScoreTable:
    """The quality column, and beside it the gated one where every gate was scored."""
    if QUALITY not in scores.metrics:
        raise UserError(f"there are no scores of {QUALITY}", "Compute them with `maqa rescore RUN`")
    present = [gate for gate in gates if gate in scores.metrics]
    check_scores(scores.only([QUALITY, *present]))
    frame = scores.frame[[*scores.keys, QUALITY]].copy()
    signatures = {QUALITY: scores.signatures[QUALITY]}
    events = all(is_rate(scores.signatures[gate]) for gate in present)
    if len(present) == len(gates) and (events or scores.safe is not None):
        frame[_SAFE] = gated(scores.frame, gates) if scores.safe is None else scores.safe.to_numpy()
        signatures[_SAFE] = "+".join(scores.signatures[name] for name in (QUALITY, *gates))
    return ScoreTable(frame, signatures)


def _statistics(block: Block, weights: Weights, resampling: Resampling) -> dict[Aggregate, _Statistic]:
    """Every aggregate of every column of the block; those whose severities lack answers are left out."""
    bootstrapped = block.resampled(resampling)
    unknown = np.full((block.values.shape[1], resampling.resamples), np.nan)
    strata = {
        place: bootstrapped.get(place) or Resampled([block.stratum(place)], [unknown], _alone(block, place))
        for place in (*block.places(), len(SEVERITIES))
    }
    found: dict[Aggregate, _Statistic] = {}
    overall = strata[len(SEVERITIES)]
    shares = [len(sample) / len(block.values) for sample in overall.samples]
    found[Aggregate.BERTSCORE_F1] = found[Aggregate.SAFE_SCORE] = _linear(overall, shares)
    if all(SEVERITIES.index(severity) in strata for severity in _GAP):
        ends = joined([strata[SEVERITIES.index(severity)] for severity in _GAP])
        found[Aggregate.CRITICAL_GAP] = _linear(ends, list(_GAP.values()))
    if all(place in strata for place in range(len(SEVERITIES))):
        severities = joined([strata[place] for place in range(len(SEVERITIES))])
        by_severity = {
            Severity.CRITICAL: weights.gamma,
            Severity.NEUTRAL: weights.beta,
            Severity.NON_CRITICAL: weights.alpha,
        }
        total = sum(by_severity.values())
        found[Aggregate.SEVERITY_WEIGHTED] = _linear(
            severities, [by_severity[severity] / total for severity in SEVERITIES]
        )
        found[Aggregate.WORST_SEVERITY] = _worst(severities)
    return found


def _alone(block: Block, place: int) -> Together | None:
    """The clusters of a place that cannot be resampled."""
    if block.clusters is None:
        return None
    rows = (block.codes == place) | (place == len(SEVERITIES))
    return Together([block.clusters[rows]], np.full(block.clusters.max() + 1, len(SEVERITIES)))


_GAP = {Severity.CRITICAL: 1.0, Severity.NON_CRITICAL: -1.0}


def _linear(parts: Resampled, coefficients: Sequence[float]) -> _Statistic:
    rows = list(zip(coefficients, parts.samples, parts.means, strict=True))
    return _Statistic(
        np.sum([factor * sample.mean(axis=0) for factor, sample, _ in rows], axis=0),
        np.sum([factor * means for factor, _, means in rows], axis=0),
        parts.drawn([factor * (sample - sample.mean(axis=0)) / len(sample) for factor, sample, _ in rows]),
        min(map(len, parts.samples)),
        parts.together is not None and parts.fewest < 2,
    )


def _worst(parts: Resampled) -> _Statistic:
    """The minimum over strata."""
    means = np.array([sample.mean(axis=0) for sample in parts.samples])
    influence = parts.drawn([(sample - sample.mean(axis=0)) / len(sample) for sample in parts.samples])
    smallest, one_cluster = min(map(len, parts.samples)), parts.together is not None and parts.fewest < 2
    ends = minimum(parts) if min(smallest, parts.fewest) > 1 else None
    return _Statistic(means.min(axis=0), np.min(parts.means, axis=0), influence, smallest, one_cluster, ends)


def _columns(block: Block, aggregate: Aggregate) -> list[tuple[int, int]]:
    """Table and column of what the aggregate is computed from."""
    metric = _SAFE if aggregate is Aggregate.SAFE_SCORE else QUALITY
    return [(index, column) for column, (index, name) in enumerate(block.owners) if name == metric]


def _scores(aggregate: Aggregate, statistic: _Statistic) -> list[AggregateScore]:
    low, high = statistic.ends or bca(statistic.estimate, statistic.resampled, statistic.influence)
    method = Method.INTERSECTION if statistic.ends else Method.BCA
    return [
        AggregateScore(
            aggregate,
            float(value),
            *described(statistic.smallest, low[column], high[column], method, statistic.one_cluster),
        )
        for column, value in enumerate(statistic.estimate)
    ]


def _complete(found: dict[Aggregate, AggregateScore], gated: ScoreTable) -> list[AggregateScore]:
    return [
        found.get(aggregate) or AggregateScore(aggregate, float("nan"), None, None, Method.TOO_FEW)
        for aggregate in Aggregate
        if aggregate is not Aggregate.SAFE_SCORE or _SAFE in gated.metrics
    ]
