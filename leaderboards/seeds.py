"""Arms that were trained under several seeds: variation over trainings, apart from variation over questions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..harness.conditions import conditions
from ..harness.runs import Run
from ..harness.statistics.seeds import across_seeds
from .records import SeedCell, SeedRow


def seed_rows(runs: Sequence[Run], metric: str) -> list[SeedRow]:
    """One row per base and arm of which there are at least two seeds; the runs must be comparable."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        training = run.manifest.model.training if run.manifest else None
        if training:
            key = [conditions(training).get("base"), training["arm"], training.get("scheme")]
            groups.setdefault(json.dumps(key, sort_keys=True), []).append(run)
    return [_row(group, metric) for group in groups.values() if len(group) > 1]


def _row(group: Sequence[Run], metric: str) -> SeedRow:
    manifest = group[0].manifest
    assert manifest is not None and manifest.model.training is not None
    training = manifest.model.training
    return SeedRow(
        arm=" ".join(filter(None, (training["arm"], training.get("scheme")))),
        runs=[run.name for run in group],
        cells={
            summary.stratum: SeedCell(
                mean=summary.mean, deviation=summary.deviation, low=summary.low, high=summary.high
            )
            for summary in across_seeds([run.scores for run in group])
            if summary.metric == metric
        },
    )
