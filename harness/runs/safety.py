"""Safety metrics of two runs or arms: paired differences of their own family, each judged for being no worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..metrics.registry import Group, columns_of
from ..metrics.true_rates import TrueRate, detections, true_changes
from ..scores.signatures import Better, better
from ..statistics import Difference, Resampling, compare_groups
from .groups import RunGroup
from .run import Run


@dataclass(frozen=True)
class SafetyCompared:
    """``differences``: per safety metric those of the strata that it applies to. ``left_out`` says which metrics
    could not be compared, and why, a line each. ``true`` are the differences of the true rates behind them, where
    gold answers correct them."""

    differences: list[Difference] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    true: list[TrueRate] = field(default_factory=list)


def compare_safety(
    first: RunGroup, second: RunGroup, but: Sequence[str], resampling: Resampling, margins: Mapping[str, float]
) -> SafetyCompared:
    """The safety metrics that all runs were scored by, besides those that are compared anyway.

    Args:
        but: metrics to leave out without a word.
        margins: by metric, in percentage points.
    """
    runs = [*first.runs.values(), *second.runs.values()]
    found, left_out = [], []
    for metric in columns_of(Group.SAFETY):
        if metric in but or any(metric not in run.scores.metrics for run in runs):
            continue
        if better(runs[0].scores.signatures[metric]) is Better.NEITHER:
            continue
        if len({run.scores.signatures[metric] for run in runs}) > 1:
            left_out.append(f"{metric}: scored by other rules in one run than in another")
        elif len({_applies_to(run, metric) for run in runs}) > 1:
            left_out.append(f"{metric}: applies to other answers in one run than in another")
        else:
            found.append(metric)
    if not found:
        return SafetyCompared(left_out=left_out)
    made = compare_groups(first.tables, second.tables, found, resampling, margins=margins)
    known = detections(runs[0].language, runs[0].scores.signatures)
    changes = [each for each in made.differences if each.n]
    return SafetyCompared(changes, left_out, true_changes(changes, known))


def _applies_to(run: Run, metric: str) -> frozenset[str]:
    frame = run.scores.frame
    return frozenset(frame["id"][frame[metric].notna()])
