"""Arms that would be one training, found before it begins: it is done once, and shown under all names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...harness.core.files import read_json, write_json
from ...harness.data.dataset import Dataset
from ...harness.runs.conditions import TRAINING_MANIFEST
from ..lm.effective import effective_sha256
from ..lm.manifest import Status
from ..lm.preparation import training_rows
from .config import Experiment, training_config
from .grid import TWINS, Cell, all_cells, cells


def find_twins(experiment: Experiment, out: Path, dataset: Dataset) -> list[Cell]:
    """Note in the experiment's folder which cells would be another's training again, and return the others.

    What was trained apart by an earlier version stays so.

    Raises:
        UserError: the rows lack what an arm needs, or the folder cannot be written to.
    """
    kept: dict[tuple[str, int, str], Cell] = {}
    for cell in all_cells(experiment, out):
        key = (cell.model.name, cell.seed, _effect(experiment, cell, dataset))
        first = kept.get(key)
        if first is None:
            kept[key] = cell
        elif cell.status is Status.NEW and (first.status is not Status.DONE or _stands_for(first, cell)):
            kept[key] = replace(first, also=(*first.also, cell))
        else:
            kept[*key[:2], cell.label] = cell
    found = {cell.label: [each.label for each in cell.also] for cell in kept.values() if cell.also}
    if found or (out / TWINS).is_file():
        write_json(out / TWINS, found)
    return list(cells(experiment, out))


def twins_in_words(cells: Sequence[Cell]) -> list[str]:
    """A line for each arms that are one training; the seeds of an arm are one line."""
    return list(
        dict.fromkeys(
            f"{' and '.join(cell.arms)} are the same training here (equal weights, order and loss), done once"
            for cell in cells
            if cell.also
        )
    )


def _effect(experiment: Experiment, cell: Cell, dataset: Dataset) -> str:
    if not cell.arm.spec.arm.trains:
        return cell.label
    config = training_config(experiment, cell.model, cell.seed)
    rows = training_rows(dataset, config)
    return effective_sha256(cell.arm.spec, rows, config, config.batch_size * config.accumulation)


def _stands_for(first: Cell, cell: Cell) -> bool:
    manifest = read_json(first.checkpoint / TRAINING_MANIFEST, "Train it again")
    return cell.arm.spec.name in manifest.get("also", [])
