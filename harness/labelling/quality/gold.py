"""People's labels for rows of a dataset, by id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ...core.errors import UserError
from ...data.columns import Role, aliases
from ...data.dataset import SPLITS, open_dataset
from ...data.folder import is_dataset
from ...data.severity_map import SeverityMap
from ...data.sources import open_source
from ...languages import Language
from ...languages.text import Profile, normalise
from ...severity import parse_severity
from ..people.columns import ANNOTATOR, places
from ..people.read import read_labels

_REMEDY = "Give a gold file with the columns id and severity"


def read_gold(path: Path, language: Language, severities: SeverityMap | None = None) -> dict[str, int]:
    """True ranks by id, of a labelled dataset folder or of a file of labels.

    Of several annotators it is what they settled on, where the file says so, else the majority, ties to the more
    severe.

    Raises:
        UserError: no such file or column, an id that is missing or stands twice, a severity that the map misses.
    """
    if is_dataset(path):
        return _of_dataset(path)
    severities = severities or SeverityMap(None, language)
    if path.suffix.lower() == ".json" or not _is_plain(path, language):
        return _of_annotators(path, language, severities)
    gold: dict[str, int] = {}
    for where, key, severity in _rows(path, language):
        if not key:
            raise UserError(f"{where} has no id", _REMEDY)
        if key in gold:
            raise UserError(f"{where} has the id {key!r} a second time", "Keep one row per id")
        try:
            gold[key] = severities.of(severity or "").severity.rank
        except UserError as error:
            raise UserError(f"{where} (id {key}): {error.problem}", error.remedy) from None
    if not gold:
        raise UserError(f"{path} has no rows", _REMEDY)
    return gold


def _is_plain(path: Path, language: Language) -> bool:
    """Whether a table has an id and a severity in each row, and names no annotators."""
    columns = open_source(path).columns
    header = [normalise(name, Profile.METRIC, language) for name in columns]
    there = [any(name in header for name in aliases(role, language)) for role in (Role.ID, Role.SEVERITY)]
    return all(there) and ANNOTATOR not in places(columns, language)


def _of_annotators(path: Path, language: Language, severities: SeverityMap) -> dict[str, int]:
    votes: dict[str, dict[str, int]] = {}
    settled: dict[str, int] = {}
    for label in read_labels(path, language, severities):
        key, rank = label.cells.get(str(Role.ID)), label.grade.severity.rank
        if not key:
            raise UserError(f"{label.where} has no id", _REMEDY)
        given = votes.setdefault(key, {})
        if label.settled:
            settled[key] = rank
        elif given.setdefault(label.annotator, rank) != rank or (label.annotator == "" and len(given) > 1):
            raise UserError(
                f"{label.where} has the id {key!r} a second time", "Keep one label per id and annotator"
            )
    ranks = {key: _majority(list(given.values())) for key, given in votes.items() if given}
    return ranks | settled


def _majority(ranks: list[int]) -> int:
    return max(ranks, key=lambda rank: (ranks.count(rank), rank))


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
    found = []
    for role in (Role.ID, Role.SEVERITY):
        place = next((header.index(name) for name in aliases(role, language) if name in header), None)
        if place is None:
            shown = ", ".join(source.columns)
            raise UserError(f"{path} has no {role} column; it has {shown}", _REMEDY)
        found.append(place)
    for batch in source.batches(found):
        keys, severities = (column.to_pylist() for column in batch.columns)
        for number, key, severity in zip(batch.numbers, keys, severities, strict=True):
            yield source.where(int(number)), key, severity
