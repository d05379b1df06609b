"""The cells of an experiment: what is trained, where it goes, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from ...harness.core.files import read_json
from ...harness.generation.decoding import Preset
from ...harness.runs.manifest import NAME as RUN_MANIFEST
from ..lm.manifest import Status, seen
from .config import DEMO, ArmPart, Experiment, ModelPart

REQUEST = "experiment.json"
"""In an experiment's folder: the experiment itself."""
ARMS_FILE = "arms.json"
"""Beside each board: what the arms show."""
TWINS = "twins.json"
"""In an experiment's folder: for a cell's label those of the cells that its training stands for, too."""


@dataclass(frozen=True)
class Cell:
    """A checkpoint of a model's arm under a seed. ``label`` names its run on the board; ``also`` are cells of other
    arms that would be the same training, and are not done."""

    model: ModelPart
    arm: ArmPart
    seed: int
    label: str
    checkpoint: Path
    also: tuple[Cell, ...] = ()

    @property
    def shown(self) -> str:
        """What its run is called: by all labels of its training."""
        return " = ".join(cell.label for cell in (self, *self.also))

    @property
    def arms(self) -> list[str]:
        """The names of the arms that its training stands for."""
        return [cell.arm.spec.name for cell in (self, *self.also)]

    @property
    def status(self) -> Status:
        """How far its training is."""
        return seen(self.checkpoint)


def cells(experiment: Experiment, out: Path) -> Iterator[Cell]:
    """Every model × arm × seed in the order of the work, without those that were found to be another's training
    again: that one has them in ``also``."""
    every = {cell.label: cell for cell in all_cells(experiment, out)}
    path = out / TWINS
    twins = read_json(path, "Delete it: it is found anew") if path.is_file() else {}
    away = {label for labels in twins.values() for label in labels}
    for label, cell in every.items():
        if label not in away:
            yield replace(cell, also=tuple(every[each] for each in twins.get(label, ()) if each in every))


def all_cells(experiment: Experiment, out: Path) -> Iterator[Cell]:
    """Every model × arm × seed; what is not trained has no seed of its own."""
    arms = list(zip(experiment.arms, experiment.labels, strict=True))
    for model, (arm, label), seed in product(experiment.models, arms, experiment.seeds):
        trains = arm.spec.arm.trains
        if not trains and seed != experiment.seeds[0]:
            continue
        parts = [model.name] if len(experiment.models) > 1 else []
        parts += [label, *([f"seed-{seed}"] if len(experiment.seeds) > 1 and trains else [])]
        name = "/".join(parts)
        yield Cell(model, arm, seed, name, out / "checkpoints" / name)


def base_of(model: ModelPart, out: Path) -> str:
    """Folder or hub id of a model."""
    return str(out / "base") if model.id == DEMO else model.id


def decoding_folder(experiment: Experiment, preset: Preset, out: Path) -> Path:
    """Where runs, board and reports under a decoding go: the experiment's own folder for the first."""
    return out if preset == experiment.evaluation.decodings[0] else out / str(preset)


def run_folder(experiment: Experiment, preset: Preset, label: str, out: Path) -> Path:
    """The run of a cell or a floor under a decoding."""
    return decoding_folder(experiment, preset, out) / "runs" / label


def evaluated(experiment: Experiment, label: str, out: Path) -> int:
    """Under how many decodings a cell or a floor has its whole run."""
    folders = (run_folder(experiment, preset, label, out) for preset in experiment.evaluation.decodings)
    return sum((folder / RUN_MANIFEST).is_file() for folder in folders)
