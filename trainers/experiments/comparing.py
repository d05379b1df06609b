"""The arms that an experiment compares, declares and claims something of, from its runs under one decoding."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ...harness.metrics.aggregates import QUALITY
from ...harness.runs.arms import ArmsCompared, ArmsOfBase, arms_compared, arms_of_base
from ...harness.runs.declared import Declared
from ...harness.runs.declaring import declared_bases, pairs_of, with_declared
from ...harness.runs.groups import RunGroup, as_group
from ...harness.runs.run import Run
from .config import Experiment, ModelPart
from .grid import Cell


@dataclass(frozen=True)
class Compared:
    """What the arms show: of each base the comparison and its groups of runs (``found``), all together (``arms``),
    and the declared analysis, or a note why it is not judged."""

    found: list[tuple[ArmsOfBase, dict[str, RunGroup]]]
    arms: ArmsCompared
    declared: Declared | None
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        """As ``arms.json`` holds it."""
        return with_declared(self.arms.as_json(), self.declared)


def compared_arms(
    experiment: Experiment, planned: Sequence[Cell], runs: Mapping[str, Run], missing: Collection[str], look: int
) -> Compared:
    """Compare the arms of each base over their trainings.

    Args:
        experiment: what it compares, claims and declares.
        planned: its cells.
        runs: by label, as far as they are there.
        missing: the labels of those that are not.
        look: of the declared analysis.
    """
    found = [_arms_of(experiment, model, planned, runs, look) for model in experiment.models]
    bases = [arms for arms, _ in found if arms.pairs]
    declared, notes = None, []
    if experiment.analysis and (lacking := _lacking(experiment, planned, missing)):
        notes.append(f"the declared analysis is not judged: it takes {', '.join(lacking)}, which is missing here")
    elif experiment.analysis:
        declared, bases = declared_bases(experiment.analysis, look, bases, experiment.spec_names)
        found = [(arms, groups) for arms, (_, groups) in zip(bases, found, strict=True)]
    return Compared(found, arms_compared(bases), declared, notes)


def _lacking(experiment: Experiment, planned: Sequence[Cell], missing: Collection[str]) -> list[str]:
    """Which cells that the declared analysis takes are missing: with fewer trainings it would be another one."""
    analysis = experiment.analysis
    assert analysis
    arms = {experiment.spec_names[label] for label in analysis.arms}
    models = analysis.models or [model.name for model in experiment.models]
    return [
        cell.label
        for cell in planned
        if cell.label in missing and cell.model.name in models and set(cell.arms) & set(arms)
    ]


def _arms_of(
    experiment: Experiment, model: ModelPart, planned: Sequence[Cell], runs: Mapping[str, Run], look: int
) -> tuple[ArmsOfBase, dict[str, RunGroup]]:
    """The arms of a base that the experiment compares or claims something of, each over its trainings."""
    names = experiment.spec_names
    pairs = [experiment.compare] if experiment.compare else []
    claim = experiment.claim
    against = {claim.arm: claim.against} if claim else {}
    groups = {}
    analysis = experiment.analysis
    pairs += pairs_of(analysis)
    for label in dict.fromkeys((*chain(*pairs), *against, *chain(*against.values()))):
        own = [cell for cell in planned if cell.model == model and names[label] in cell.arms]
        shown = f"{model.name}/{label}" if len(experiment.models) > 1 else label
        if there := [runs[cell.label] for cell in own if cell.label in runs]:
            groups[names[label]] = as_group(there, shown)
    specs = [(names[first], names[second]) for first, second in pairs]
    # A claim that lacks one of those that it is set against would be an easier one.
    claims = {names[arm]: [names[other] for other in others] for arm, others in against.items()}
    found = arms_of_base(
        model.name,
        groups,
        [pair for pair in specs if groups.keys() >= set(pair)],
        {arm: others for arm, others in claims.items() if groups.keys() >= {arm, *others}},
        list(dict.fromkeys((*(analysis.metrics if analysis else ()), QUALITY))),
        experiment.statistics,
        margins=analysis.margins_at(look, len(analysis.models or experiment.models)) if analysis else None,
        gold=gold_of(experiment),
    )
    return found, groups


def gold_of(experiment: Experiment) -> Path | None:
    """Where an experiment says how right its severities are."""
    return None if experiment.gold is None else Path(experiment.gold)
