"""Comparisons in which detectors that are for screening only are shown, and decide nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from ..core.errors import UserError
from ..metrics.screening import screening
from ..statistics import ArmsCompared, Difference, Resampling, Verdict, compare_groups
from ..statistics.arms import Trainings
from ..statistics.margins import Margin
from .run import Run


def screening_of(runs: Sequence[Run]) -> dict[str, str]:
    """The scored columns that are for screening only in any of the runs, and why."""
    found: dict[str, str] = {}
    for run in runs:
        found = screening(run.language, run.scores.signatures) | found
    return found


def compare_screened(
    first: Trainings,
    second: Trainings,
    metrics: Sequence[str],
    resampling: Resampling,
    pair_seeds: bool = True,
    margins: Mapping[str, float | Margin] | None = None,
    known: Mapping[str, str] | None = None,
) -> ArmsCompared:
    """As ``compare_groups``, which the metrics of ``known`` take no part in: they have no p, no margin and no place
    in a family."""
    known = known or {}
    apart = [[each for each in metrics if (each in known) is only] for only in (False, True)]
    made = [
        compare_groups(first, second, some, resampling, pair_seeds, {} if only else margins)
        for only, some in zip((False, True), apart, strict=True)
        if some
    ]
    differences = [_undecided(each) if each.metric in known else each for part in made for each in part.differences]
    return dataclasses.replace(
        made[0],
        differences=sorted(differences, key=lambda each: metrics.index(each.metric)),
        parts=sorted((each for part in made for each in part.parts), key=lambda each: metrics.index(each.metric)),
    )


def refuse_screening(metrics: Sequence[str], known: Mapping[str, str], what: str) -> None:
    """Raises:
    UserError: one of the metrics is among those ``known`` to be for screening only; ``what`` would rest on it.
    """
    if found := [each for each in metrics if each in known]:
        raise UserError(
            f"{what} {found[0]}, which is {Verdict.SCREENING}: {known[found[0]]}",
            "Choose another metric: `maqa doctor --detectors` says which detectors can bear a verdict",
        )


def _undecided(difference: Difference) -> Difference:
    return dataclasses.replace(
        difference, p=None, p_holm=None, family=0, detectable=None, margin=None, verdict=Verdict.SCREENING
    )
