"""Arms that were trained under several seeds: variation over trainings, apart from variation over questions."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from ..harness.runs.arms import key_of_base, names_of_bases
from ..harness.runs.comparable import chosen_of
from ..harness.runs.comparison import Comparison, compare_arms
from ..harness.runs.groups import RunGroup, grouped
from ..harness.runs.run import Run
from ..harness.statistics import Difference, Resampling, across_seeds
from ..harness.statistics.verdicts import p_in_words
from .records import DifferenceCell, SeedCell, SeedRow

_REFERENCE = "ce"
"""The arm that the others are set against, where it was trained; else the first."""


def seed_rows(runs: Sequence[Run], metric: str, resampling: Resampling) -> list[SeedRow]:
    """One row per base and arm of which there are at least two seeds, compared with the plain arm of its base; the
    runs must be comparable."""
    groups = [group for group in grouped(runs) if len(group.runs) > 1]
    names = names_of_bases(runs)
    return [
        _row(group, reference_of(group, groups), metric, resampling).model_copy(
            update={"base": names[key_of_base(group.base)] if len(names) > 1 else ""}
        )
        for group in groups
    ]


def reference_of(group: RunGroup, groups: Sequence[RunGroup]) -> RunGroup | None:
    """The arm of the same base that an arm is set against; None for that one, and for a model without an arm."""
    if group.arm is None:
        return None
    same = [each for each in groups if each.base == group.base]
    reference = next((each for each in same if each.arm == _REFERENCE), same[0])
    return None if reference is group else reference


def _row(group: RunGroup, reference: RunGroup | None, metric: str, resampling: Resampling) -> SeedRow:
    compared = compare_arms(reference, group, metric, resampling) if reference else None
    return SeedRow(
        arm=group.arm or group.name,
        runs=[run.name for run in group.runs.values()],
        cells={
            summary.stratum: SeedCell(
                mean=summary.mean, deviation=summary.deviation, low=summary.low, high=summary.high
            )
            for summary in across_seeds([chosen_of(run, [metric]) for run in group.runs.values()], resampling)
            if not isnan(summary.mean)
        },
        against=reference.arm if reference else None,
        trainings=compared.trainings if compared else "",
        differences=_cells(compared) if compared else {},
    )


def _cells(compared: Comparison) -> dict[str, DifferenceCell]:
    return {each.stratum: _cell(each, compared) for each in compared.differences if each.n}


def _cell(change: Difference, compared: Comparison) -> DifferenceCell:
    return DifferenceCell(
        mean=change.mean,
        low=change.low,
        high=change.high,
        p=change.p,
        p_holm=change.p_holm,
        verdict=change.verdict,
        floor=compared.noise.floor(change.metric, change.stratum),
        p_words=p_in_words(change, adjusted=True),
    )
