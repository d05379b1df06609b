"""Which rows of a board are worse in safety than its reference: by the margin or Holm's p, as everywhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..harness.metrics.registry import Group, columns_of
from ..harness.runs.conclusion import levels_of, worsened
from ..harness.runs.margins import margins_of
from ..harness.runs.run import Run
from ..harness.scores.signatures import Better, better
from ..harness.statistics import Resampling, paired_all
from .records import LessSafe

SHOWN = ("missed_emergency", "dangerous_reassurance", "dose_conflict")
"""The detectors that stand beside quality in the board's main table."""


def safety_marks(
    reference: Run, runs: Sequence[Run], resampling: Resampling, known: Mapping[str, str]
) -> dict[int, list[LessSafe]]:
    """By ``id`` of each run what it is worse in than ``reference``.

    Args:
        reference: whom all are set against.
        runs: those that can be compared with it; the reference itself has no mark.
        resampling: of the random signs.
        known: detectors that are for screening only, which mark nothing.
    """
    others = [run for run in runs if run is not reference]
    found: dict[int, list[LessSafe]] = {}
    by_metrics: dict[tuple[str, ...], list[Run]] = {}
    applies = {metric: _applies_to(reference, metric) for metric in _sided(reference) if metric not in known}
    for run in others:
        same = tuple(
            metric
            for metric, where in applies.items()
            if run.scores.signatures.get(metric) == reference.scores.signatures[metric]
            and _applies_to(run, metric) == where
        )
        if same and len(run.scores.frame) == len(reference.scores.frame):
            by_metrics.setdefault(same, []).append(run)
    for metrics, alike in by_metrics.items():
        margins = margins_of((), metrics)
        tables = [run.scores for run in alike]
        compared = paired_all(reference.scores, tables, list(metrics), resampling, margins)
        for run, changes in zip(alike, compared, strict=True):
            shifts = worsened(changes, levels_of(([reference], [run]), [each for each in changes if each.n]))
            found[id(run)] = [
                LessSafe(metric=each.metric, stratum=each.stratum, before=each.before, after=each.after, p=each.p)
                for each in shifts
            ]
    return found


def _sided(run: Run) -> list[str]:
    scored = run.scores
    safety = [metric for metric in columns_of(Group.SAFETY) if metric in scored.metrics]
    return [metric for metric in safety if better(scored.signatures[metric]) is not Better.NEITHER]


def _applies_to(run: Run, metric: str) -> frozenset[str]:
    frame = run.scores.frame
    return frozenset(frame["id"][frame[metric].notna()]) if metric in frame else frozenset()
