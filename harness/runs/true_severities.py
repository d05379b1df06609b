"""Differences per true severity, beside those per severity as labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..languages.sentences import sentence, severity
from ..scores.table import CLUSTER, ScoreTable
from ..severity import PROBABILITY_COLUMNS, SEVERITIES
from ..statistics import STRATA, Difference, Resampling, Verdict
from ..statistics.clusters import numbered
from ..statistics.label_draws import Sample
from ..statistics.misclassification import true_means
from ..statistics.ppi import powered_mean
from ..statistics.verdicts import points
from .groups import RunGroup
from .label_warnings import label_warnings
from .labels import Labels
from .severities import read_severities

ASSUMED = sentence("true.assumed")
POWERED = sentence("true.powered")
_FOUND = (Verdict.GAIN, Verdict.LOSS, Verdict.DIFFERENCE)


@dataclass(frozen=True)
class TrueDifference:
    """A difference over the questions that are truly of a severity, in points, with 95 % intervals.

    ``mean``, ``low`` and ``high`` are corrected by the confusion matrix, ``worst_low`` and ``worst_high`` assume
    nothing; ``powered`` is prediction-powered (mean, low, high): only of single runs, whose gold names enough rows.
    """

    metric: str
    stratum: str
    mean: float
    low: float
    high: float
    worst_low: float
    worst_high: float
    powered: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class LabelsCompared:
    """What the labels mean for a comparison.

    Attributes:
        words: who decided the severities and how right they are.
        marks: what stands beside each stratum.
        warnings: what a reader of the differences per severity must know, a line each.
        differences: per true severity; empty where nobody checked the labels.
        not_corrected: why there are none, by metric.
    """

    words: str = ""
    marks: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    differences: list[TrueDifference] = field(default_factory=list)
    not_corrected: dict[str, str] = field(default_factory=dict)

    def of(self, metric: str) -> list[TrueDifference]:
        """Those of one metric."""
        return [each for each in self.differences if each.metric == metric]


def compare_true(
    sides: tuple[RunGroup, RunGroup],
    tables: Sequence[Sequence[ScoreTable]],
    changes: Sequence[Difference],
    by_seed: bool,
    labels: Labels,
    resampling: Resampling,
) -> LabelsCompared:
    """Correct the differences of a comparison for wrong labels.

    Args:
        sides: both arms, the subtracted one first.
        tables: of each, its trainings' scores of the metrics compared.
        changes: the differences as labelled, judged.
        by_seed: whether the trainings are paired.
        labels: what is known of the severities.
    """
    differences: list[TrueDifference] = []
    reasons: dict[str, str] = {}
    counts = sides[0].first.answers["severity"].value_counts()
    asked = {str(severity): int(rows) for severity, rows in counts.items()}
    for metric in dict.fromkeys(each.metric for each in changes) if labels.trust.checked else ():
        sample, ids = _sample(tables, metric, by_seed)
        found = true_means(sample, labels.trust.gold(asked), resampling)
        if isinstance(found, str):
            reasons[metric] = found
            continue
        # Its spread is that of questions that each stand alone, of one training each.
        alone = not sample.blocks and sample.clusters is None
        powered = _powered(sides[0], sample, ids, labels) if alone else {}
        differences += [TrueDifference(metric, **vars(each), powered=powered.get(each.stratum)) for each in found]
    runs = [run for side in sides for run in side.runs.values()]
    made = LabelsCompared(str(labels), {each: labels.mark(each) for each in STRATA}, [], differences, reasons)
    outside = [
        sentence("true.outside", metric=each.metric, stratum=severity(each.stratum))
        for each in differences
        if each.high < each.worst_low or each.low > each.worst_high
    ]
    raw = [line for change in changes if (line := _raw(change, made, labels))]
    return LabelsCompared(made.words, made.marks, [*label_warnings(runs), *raw, *outside], differences, reasons)


def _sample(tables: Sequence[Sequence[ScoreTable]], metric: str, by_seed: bool) -> tuple[Sample, pd.Series[str]]:
    frames = [[table.frame.sort_values("id", kind="stable") for table in side] for side in tables]
    rows = frames[0][0][metric].notna().to_numpy()
    first, second = (np.array([frame[metric].to_numpy(np.float64)[rows] for frame in side]) for side in frames)
    changes = second.mean(axis=0) - first.mean(axis=0)
    several = min(len(first), len(second)) > 1
    blocks = ([second - first] if by_seed else [first, second]) if several else []
    kept = frames[0][0][rows]
    codes = pd.Categorical(kept["severity"], categories=list(STRATA[:-1])).codes.astype(np.int64)
    together = numbered(kept[CLUSTER].to_numpy()) if CLUSTER in kept else None
    return Sample(blocks, changes, codes, together), kept["id"].astype(str)


def _powered(
    side: RunGroup, sample: Sample, ids: pd.Series[str], labels: Labels
) -> dict[str, tuple[float, float, float]]:
    labelled = ids.isin(labels.truth.keys()).to_numpy()
    if not labelled.any():
        return {}
    ranks = ids.map(labels.truth).fillna(-1).to_numpy(np.int64)
    sure = read_severities(side.first.path)
    made = {}
    for place, true in enumerate(SEVERITIES):
        guesses = (sample.codes == place).astype(np.float64)
        if sure is not None:
            column = sure.set_index("id")[PROBABILITY_COLUMNS[true.rank]].reindex(ids).to_numpy(np.float64)
            guesses = np.where(np.isnan(column), guesses, column)
        if found := powered_mean(sample.changes, guesses, labelled, ranks == true.rank):
            made[str(true)] = found
    return made


def _raw(change: Difference, made: LabelsCompared, labels: Labels) -> str:
    """The warning at a difference that was found as labelled; empty where the labels bear it out."""
    mark = made.marks.get(change.stratum, "")
    if change.verdict not in _FOUND or not mark:
        return ""
    verdict, stratum = sentence(f"true.{change.verdict}"), severity(change.stratum)
    what = sentence("true.what", metric=change.metric, verdict=verdict, stratum=stratum)
    if not labels.trust.checked:
        return sentence("true.unchecked", what=what)
    true = next((each for each in made.of(change.metric) if each.stratum == change.stratum), None)
    if true is None:
        return sentence("true.unknown", what=what, mark=mark)
    key = "true.none" if true.low <= 0 <= true.high else "true.is"
    return sentence(key, what=what, mark=mark, stratum=stratum, shown=_shown(true))


def _shown(true: TrueDifference) -> str:
    return f"{points(true.mean, '+')} [{points(true.low, '+')}, {points(true.high, '+')}]"
