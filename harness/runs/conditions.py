"""Whether two checkpoints were trained under equal conditions, by what their training manifests say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..languages.sentences import sentence, together
from .run import Saved

TRAINING_MANIFEST = "training.json"
"""The training manifest's file in a checkpoint's folder."""

_LATER = ("config.patience", "config.evaluate_every", "config.tf32", "config.attention")
_OF_THE_SEED = ("config.seed", "order_sha256")
_OF_STAGES = ("config.curriculum", "config.cumulative")
"""Without them an arm has stages of equal length."""


def training_of(run: Saved) -> dict[str, Any] | None:
    """The training manifest of the run's checkpoint; None without one, or with one of another program."""
    training = run.manifest.model.training if run.manifest else None
    return training if training and {"arm", "conditions"} <= training.keys() else None


def conditions(training: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be equal between the arms of an experiment: data, base, prompt, settings, steps, data order.

    A condition that does not apply to an arm is not among them: the settings of training for ``base``, the data
    order for ``curriculum``, epochs and learning rate for stages that have their own, the severity source for arms
    that use no severity.
    """
    return dict(training["conditions"])


def stopped_notes(runs: Sequence[Saved]) -> list[str]:
    """A line where early stopping ended trainings, which then differ in their steps; none without it."""
    found = {run.name: (training_of(run) or {}).get("stopping") for run in runs}
    told = [
        sentence(
            "stopping.one", name=name, steps=each["steps"], planned=each["planned_steps"], best=each["best_step"]
        )
        for name, each in found.items()
        if each
    ]
    return [sentence("stopping", each=together(told))] if told else []


def difference(one: Mapping[str, Any], other: Mapping[str, Any], *, across_seeds: bool = False) -> list[str]:
    """In what two training manifests differ beside the arm, a line each; empty if the arms can be compared.

    Args:
        across_seeds: whether the two are runs of different seeds on purpose.
    """
    first, second = conditions(one), conditions(other)
    if "steps" in first and "steps" in second:
        # A setting that an older version did not know yet is none there.
        later = [name for name in {*first, *second} if name in _LATER]
        first, second = ({**dict.fromkeys(later), **each} for each in (first, second))
    shared = [name for name in first if name in second and not (across_seeds and name in _OF_THE_SEED)]
    if one["arm"] == other["arm"]:
        shared += [name for name in _OF_STAGES if name not in shared]
    return [
        f"{name}: {first.get(name)!r} and {second.get(name)!r}"
        for name in shared
        if first.get(name) != second.get(name)
    ]
