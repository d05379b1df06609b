"""Runs grouped into arms: the trainings of one arm of one base, told apart by their seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import UserError
from ..scores.table import ScoreTable
from ..statistics.arms import Seed
from .conditions import conditions, difference, training_of
from .run import Run


@dataclass(frozen=True)
class RunGroup:
    """One arm of one base, its runs by training seed; a single run is a group of one.

    ``base`` is what the training manifests say of the base's weights, ``arm`` the arm with its scheme; both are
    absent for a run whose checkpoint we did not train. The seed of an untrained base is None.
    """

    name: str
    base: Any
    arm: str | None
    runs: Mapping[Seed, Run]

    @property
    def first(self) -> Run:
        """The run that stands for the group where one has to: its texts are shown."""
        return next(iter(self.runs.values()))

    @property
    def tables(self) -> dict[Seed, ScoreTable]:
        """The score tables by seed."""
        return {seed: run.scores for seed, run in self.runs.items()}


def group_of(run: Run | RunGroup) -> RunGroup:
    """A single run as a group of one."""
    if isinstance(run, RunGroup):
        return run
    training = training_of(run)
    if training is None:
        return RunGroup(run.name, None, None, {None: run})
    return RunGroup(run.name, conditions(training).get("base"), _arm(training), {_seed(training): run})


def grouped(runs: Sequence[Run]) -> list[RunGroup]:
    """The arms among runs, in the order of their first runs.

    Of several runs of one training the first counts: answering again is no other training. A run without a training
    manifest of ours is a group of its own.
    """
    groups: dict[str, list[Run]] = {}
    for place, run in enumerate(runs):
        training = training_of(run)
        key = [conditions(training).get("base"), training["arm"], training.get("scheme")] if training else place
        groups.setdefault(json.dumps(key, sort_keys=True), []).append(run)
    return [_joined(group) for group in groups.values()]


def as_group(runs: Sequence[Run], name: str | None = None) -> RunGroup:
    """Runs that the user says are one arm.

    Args:
        runs: one run per training seed.
        name: what the group is called; by default the arm with its seeds.

    Raises:
        UserError: no run; or several of which one has no training manifest, is of another base or arm, was trained
            under other conditions, or has the seed of another.
    """
    if not runs:
        raise UserError("a group has no run", "Name at least one run folder")
    if len(runs) == 1:
        found = group_of(runs[0])
        return found if name is None else RunGroup(name, found.base, found.arm, found.runs)
    first = training_of(runs[0])
    seen: dict[Seed, Run] = {}
    for run in runs:
        training = training_of(run)
        if first is None or training is None:
            odd = runs[0] if first is None else run
            raise UserError(
                f"run {odd.path} does not say how its model was trained, so its seed is unknown",
                "Group runs of checkpoints by `maqa train lm`, or compare it alone",
            )
        apart = [
            f"{what}: {one} and {other}"
            for what, one, other in (
                ("base", conditions(first).get("base"), conditions(training).get("base")),
                ("arm", _arm(first), _arm(training)),
            )
            if one != other
        ]
        apart += [f"training {found}" for found in difference(first, training, across_seeds=True)]
        if apart:
            raise UserError(
                f"{runs[0].path} and {run.path} are no trainings of one arm: {'; '.join(dict.fromkeys(apart))}",
                "Group runs that differ in the training seed alone",
            )
        seed = _seed(training)
        if seed in seen:
            raise UserError(
                f"{seen[seed].path} and {run.path} are of one training, seed {seed}",
                "Name one run of each training: answering again is no other training",
            )
        seen[seed] = run
    return _joined(runs, name)


def _joined(runs: Sequence[Run], name: str | None = None) -> RunGroup:
    training = training_of(runs[0])
    by_seed: dict[Seed, Run] = {}
    for run in runs:
        own = training_of(run)
        by_seed.setdefault(_seed(own) if own else None, run)
    if training is None or len(by_seed) == 1:
        found = group_of(runs[0])
        return RunGroup(name or found.name, found.base, found.arm, by_seed)
    arm = _arm(training)
    seeds = ", ".join(map(str, by_seed))
    return RunGroup(name or f"{arm} (seeds {seeds})", conditions(training).get("base"), arm, by_seed)


def _arm(training: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (training["arm"], training.get("scheme"))))


def _seed(training: Mapping[str, Any]) -> Seed:
    seed: Seed = conditions(training).get("config.seed")
    return seed
