"""The training manifest: everything that identifies a checkpoint, and whether a folder holds that checkpoint."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any

import pandas as pd

from ... import __version__
from ...harness.core.errors import UserError
from ...harness.core.files import read_json, write_json
from ...harness.core.settings import Record, Role
from ...harness.data.dataset import Dataset
from ...harness.runs.conditions import TRAINING_MANIFEST
from ...harness.runs.manifest import PromptRecord, versions
from ...harness.runs.nll import rows_sha256
from ..arms import ArmSpec, Needs
from .config import TrainConfig
from .exposure import Exposure

FORMAT_VERSION = 1
LOG = "training_log.jsonl"
STATE = "training_state"
"""Folder inside the checkpoint's own that is there only while the training is not finished."""

_OF_STAGES = ("curriculum", "cumulative")
_IN_PLACE_OF_STAGES = ("epochs", "learning_rate")
_IDENTITY = "identity.json"
_REMEDY = "Choose another --out, or delete the folder"


class TrainingManifest(Record):
    """The content of ``training.json``. ``also`` names arms that would have been this very training.

    ``conditions`` is what arms of one experiment share (see ``harness/runs/conditions.py``), ``identity`` what
    names this checkpoint among them. ``weights`` describes the instance weights before scaling, ``exposure`` how
    much of each severity was shown (None for the untrained base, and where an older version trained),
    ``truncation`` what was cut. ``nll`` is what the model makes of the reference answers of the splits that were
    not trained on (see ``harness/runs/nll.py``), ``stopping`` where early stopping ended it; older checkpoints have
    neither.
    """

    format_version: int = FORMAT_VERSION
    maqa_severity: str = __version__
    created: str
    name: str
    arm: str
    scheme: str | None
    also: list[str] = []
    seed: int
    base: dict[str, Any]
    dataset: dict[str, Any]
    config: dict[str, Any]
    conditions: dict[str, Any]
    identity: dict[str, Any]
    weights: dict[str, Any] | None
    exposure: dict[str, Exposure] | None = None
    truncation: dict[str, int]
    processes: int
    versions: dict[str, str]
    cost: dict[str, Any]
    nll: dict[str, Any] | None = None
    stopping: dict[str, Any] | None = None


class Status(Enum):
    """What a folder holds: nothing, this very training stopped on its way, or its finished checkpoint."""

    NEW = auto()
    STOPPED = auto()
    DONE = auto()


def base_conditions(dataset: Dataset, rows: pd.DataFrame, base: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions that hold for every arm, the untrained base included."""
    prompt = PromptRecord.of(dataset.language)
    return {
        "dataset.rows_sha256": rows_sha256(rows),
        "dataset.test_sha256": dataset.info.sha256["test"],
        "base": base["weights"],
        "prompt.sha256": prompt.sha256,
    }


def training_conditions(
    spec: ArmSpec,
    dataset: Dataset,
    config: TrainConfig,
    *,
    steps: int,
    effective_batch: int,
    shared_order: str | None,
    staged: bool,
) -> dict[str, Any]:
    """The conditions of a training; those that do not apply to its arm are left out.

    ``shared_order`` is the digest of the data order, None for an arm with an order of its own. ``staged`` says
    whether the stages of the settings stand in place of their epochs and learning rate.
    """
    apart = _IN_PLACE_OF_STAGES if staged else _OF_STAGES
    found = {f"config.{name}": value for name, value in config.of_role(Role.IDENTITY).items() if name not in apart}
    found |= {"stage_steps" if staged else "steps": steps, "effective_batch": effective_batch}
    if shared_order is not None:
        found["order_sha256"] = shared_order
    if spec.arm.uses & Needs.LABELS:
        found["severity_source"] = dataset.info.severity_source.model_dump()
    return found


def identity_of(spec: ArmSpec, conditions: Mapping[str, Any], labels_sha256: str | None) -> dict[str, Any]:
    """What makes a checkpoint this one and no other: the arm, all conditions, and the labels behind its weights."""
    weights, gamma = spec.weights, spec.gamma
    return {
        **({} if gamma is None else {"gamma": gamma}),
        "arm": spec.arm.name,
        "weights": None if weights is None else [weights.alpha, weights.beta, weights.gamma],
        "labels_sha256": labels_sha256,
        **conditions,
    }


def status(out: Path, identity: Mapping[str, Any]) -> Status:
    """What the output folder holds.

    Raises:
        UserError: it holds something else than this training.
    """
    found = seen(out)
    if found is not Status.NEW:
        stored = stored_identity(out)
        if differing := [name for name in identity if stored.get(name) != identity[name]]:
            name = differing[0]
            raise UserError(
                f"{out} holds another training: {name} is {stored.get(name)!r} there, {identity[name]!r} here",
                _REMEDY,
            )
        return found
    if out.exists() and (not out.is_dir() or any(map(_is_foreign, out.iterdir()))):
        raise UserError(f"{out} is not empty and holds no training", _REMEDY)
    return Status.NEW


def _is_foreign(path: Path) -> bool:
    """Whether a path is anything but what a kill left of a training's first file."""
    return path.name != STATE or not path.is_dir() or any(inside.name[0] != "." for inside in path.iterdir())


def seen(out: Path) -> Status:
    """What the output folder seems to hold, whoever's training that is."""
    if (out / TRAINING_MANIFEST).is_file():
        return Status.DONE
    return Status.STOPPED if (out / STATE / _IDENTITY).is_file() else Status.NEW


def stored_identity(out: Path) -> dict[str, Any]:
    """The identity of what the output folder holds, finished or not; empty where that is nothing.

    Raises:
        UserError: it cannot be read.
    """
    if (out / TRAINING_MANIFEST).is_file():
        return dict(read_json(out / TRAINING_MANIFEST, _REMEDY).get("identity", {}))
    begun = out / STATE / _IDENTITY
    return dict(read_json(begun, _REMEDY)) if begun.is_file() else {}


def begin(out: Path, identity: Mapping[str, Any]) -> None:
    """Mark the folder as this training's, before anything else is written.

    Raises:
        UserError: the folder cannot be written to.
    """
    write_json(out / STATE / _IDENTITY, dict(identity))


def finish(out: Path, manifest: TrainingManifest) -> None:
    """Write the manifest, which makes the checkpoint whole, and take away what only resuming needed."""
    write_json(out / TRAINING_MANIFEST, manifest.model_dump(mode="json"))
    shutil.rmtree(out / STATE, ignore_errors=True)


def abandon(out: Path, *others: str) -> None:
    """Take away what a training that could not start has written, unless there is a checkpoint to go on from."""
    if any((out / STATE).glob("checkpoint-*")):
        return
    shutil.rmtree(out / STATE, ignore_errors=True)
    for name in others:
        (out / name).unlink(missing_ok=True)
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()


def manifest_of(spec: ArmSpec, dataset: Dataset, config: TrainConfig, **found: Any) -> TrainingManifest:
    """The manifest of a finished training."""
    return TrainingManifest(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        name=spec.name,
        arm=spec.arm.name,
        scheme=spec.scheme,
        seed=config.seed,
        dataset={
            "folder": str(dataset.folder),
            "train_sha256": dataset.info.sha256["train"],
            "source": dataset.info.source,
            "language": dataset.info.language,
            "severity_source": dataset.info.severity_source.model_dump(),
        },
        config=config.model_dump(mode="json"),
        versions=versions(),
        **found,
    )
