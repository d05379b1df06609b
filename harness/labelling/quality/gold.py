"""People's labels for rows of a dataset, by id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ...core.errors import UserError
from ...data.columns import Role, aliases
from ...data.dataset import SPLITS, open_dataset
from ...data.folder import is_dataset
from ...data.sources import open_source
from ...languages import Language
from ...languages.text import Profile, normalise
from ...severity import parse_severity

_REMEDY = "Give a gold file with the columns id and severity"


def read_gold(path: Path, language: Language) -> dict[str, int]:
    """True ranks by id, of a labelled dataset folder or of a table with an id and a severity column.

    Raises:
        UserError: no such file or column, an id that is missing or stands twice, a severity nobody knows.
    """
    if is_dataset(path):
        return _of_dataset(path)
    gold: dict[str, int] = {}
    for where, key, severity in _rows(path, language):
        if not key:
            raise UserError(f"{where} has no id", _REMEDY)
        if key in gold:
            raise UserError(f"{where} has the id {key!r} a second time", "Keep one row per id")
        try:
            gold[key] = parse_severity(severity or "").rank
        except UserError as error:
            raise UserError(f"{where} (id {key}): {error.problem}", error.remedy) from None
    if not gold:
        raise UserError(f"{path} has no rows", _REMEDY)
    return gold


def _of_dataset(folder: Path) -> dict[str, int]:
    dataset = open_dataset(folder)
    frame = pd.concat([dataset.split(name) for name in SPLITS], ignore_index=True)
    frame = frame[frame["severity"].notna()]
    if frame.empty:
        raise UserError(f"{folder} has no labels", _REMEDY)
    ranks = frame["severity"].map(lambda severity: parse_severity(severity).rank)
    return dict(zip(frame["id"].astype(str), map(int, ranks), strict=True))


def _rows(path: Path, language: Language) -> Iterator[tuple[str, str | None, str | None]]:
    source = open_source(path)
    header = [normalise(name, Profile.METRIC, language) for name in source.columns]
    places = []
    for role in (Role.ID, Role.SEVERITY):
        place = next((header.index(name) for name in aliases(role, language) if name in header), None)
        if place is None:
            shown = ", ".join(source.columns)
            raise UserError(f"{path} has no {role} column; it has {shown}", _REMEDY)
        places.append(place)
    for batch in source.batches(places):
        keys, severities = (column.to_pylist() for column in batch.columns)
        for number, key, severity in zip(batch.numbers, keys, severities, strict=True):
            yield source.where(int(number)), key, severity
