"""References from which a layer is chosen, read from a dataset or a table that anyone may have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import UserError
from ...data.dataset import open_dataset
from ...data.folder import is_dataset
from ...data.sources import open_source
from .separation import Judged

JUDGED = "judged"
"""The column of what people made of a prediction: a number, the larger the better, or one of these words."""

_WORDS = {"right": 1.0, "wrong": 0.0}
_COLUMNS = ("reference", "category", "prediction", JUDGED)


@dataclass(frozen=True)
class LayersFile:
    """References with the categories of their questions, and what people judged, where these are there."""

    references: list[str]
    categories: list[str] | None
    judged: Judged | None


def read_references(path: Path, reading: Mapping[str, str] | None = None) -> LayersFile:
    """Read a dataset folder, of which the validation rows choose the layer (else the training rows: the test is for
    scores), or any file with the column ``reference``; ``category`` is read if it is there, and ``prediction`` with
    ``judged`` where people judged answers. A cell of ``judged`` may be empty.

    Raises:
        UserError: the file cannot be read, has no such column or no row, or ``judged`` is no number.
    """
    if is_dataset(path):
        dataset = open_dataset(path)
        rows = dataset.split("validation")
        rows = rows if len(rows) else dataset.split("train")
        return LayersFile(rows["answer"].tolist(), rows["category"].fillna("").tolist(), None)
    source = open_source(path, reading)
    present = [name for name in _COLUMNS if name in source.columns]
    if "reference" not in present or (JUDGED in present and "prediction" not in present):
        lacking = "prediction" if "reference" in present else "reference"
        raise UserError(
            f"{path} has no column {lacking!r}; it has {', '.join(map(repr, source.columns))}",
            "Name the columns reference and, if they are there, category, prediction and judged",
        )
    cells: dict[str, list[str | None]] = {name: [] for name in present}
    numbers: list[int] = []
    for batch in source.batches([source.columns.index(name) for name in present]):
        numbers.extend(batch.numbers.tolist())
        for name, column in zip(present, batch.columns, strict=True):
            cells[name].extend(column.to_pylist())
    references = [cell or "" for cell in cells["reference"]]
    if not references:
        raise UserError(f"{path} has no rows", "Give a file with references")
    predictions, kept, worth = [], [], []
    for at, cell in enumerate(cells.get(JUDGED, [])):
        if cell is None or not cell.strip():
            continue
        value = _WORDS.get(cell.strip().lower())
        try:
            number = float(cell) if value is None else value
        except ValueError:
            number = np.nan
        if not np.isfinite(number):
            raise UserError(
                f"{source.where(numbers[at])}: {cell!r} is no judgement", "Write a number, right or wrong"
            )
        predictions.append(cells["prediction"][at] or "")
        kept.append(references[at])
        worth.append(number)
    categories = [cell or "" for cell in cells["category"]] if "category" in cells else None
    return LayersFile(references, categories, Judged(predictions, kept, np.array(worth)) if worth else None)
