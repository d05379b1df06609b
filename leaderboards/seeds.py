"""Arms that were trained under several seeds: variation over trainings, apart from variation over questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isnan
from typing import Any

from ..harness.conditions import conditions
from ..harness.runs import Run
from ..harness.scores import KEY_COLUMNS, ScoreTable
from ..harness.statistics import Resampling, across_seeds
from .records import SeedCell, SeedRow


def training_of(run: Run) -> dict[str, Any] | None:
    """The training manifest of the run's checkpoint; None without one, or with one of another program."""
    training = run.manifest.model.training if run.manifest else None
    return training if training and {"arm", "conditions"} <= training.keys() else None


def seed_rows(runs: Sequence[Run], metric: str, resampling: Resampling) -> list[SeedRow]:
    """One row per base and arm of which there are at least two seeds; the runs must be comparable.

    Of several runs of one training the first counts: answering again is no other training.
    """
    groups: dict[str, dict[Any, Run]] = {}
    for run in runs:
        if training := training_of(run):
            key = [conditions(training).get("base"), training["arm"], training.get("scheme")]
            seeds = groups.setdefault(json.dumps(key, sort_keys=True), {})
            seeds.setdefault(conditions(training).get("config.seed"), run)
    return [_row(list(seeds.values()), metric, resampling) for seeds in groups.values() if len(seeds) > 1]


def _row(group: Sequence[Run], metric: str, resampling: Resampling) -> SeedRow:
    training = training_of(group[0])
    assert training is not None
    tables = [ScoreTable(run.scores.frame[[*KEY_COLUMNS, metric]], run.scores.signatures) for run in group]
    return SeedRow(
        arm=" ".join(filter(None, (training["arm"], training.get("scheme")))),
        runs=[run.name for run in group],
        cells={
            summary.stratum: SeedCell(
                mean=summary.mean, deviation=summary.deviation, low=summary.low, high=summary.high
            )
            for summary in across_seeds(tables, resampling)
            if not isnan(summary.mean)
        },
    )
