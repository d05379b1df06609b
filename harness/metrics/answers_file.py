"""Answers to be scored, read from a table that anyone may have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import UserError
from ..data.sources import open_source
from ..data.sources.base import Source
from ..severity import Severity, parse_severity
from .base import Answers

_REQUIRED = ("prediction", "reference")
_OPTIONAL = ("severity", "question", "id")


@dataclass(frozen=True)
class AnswersFile:
    """Rows of a file: ``ids`` are its own, or else the rows counted from 1."""

    ids: list[str]
    answers: Answers


def read_answers(path: Path, reading: Mapping[str, str] | None = None) -> AnswersFile:
    """Read a file or folder of any known kind with the columns ``prediction`` and ``reference``.

    ``severity``, ``question`` and ``id`` are read if they are there. An empty prediction is an empty answer; a
    missing one (null, or no such key in the row) is an error, since nobody can say what the model answered.
    ``reading`` are options of its reader.

    Raises:
        UserError: the file cannot be read, has no rows or lacks a column; a cell is missing, a reference is empty,
            a severity is unknown, or an id occurs twice.
    """
    source = open_source(path, reading)
    names = _columns(source)
    numbers: list[int] = []
    cells: dict[str, list[str]] = {name: [] for name in names}
    for batch in source.batches([source.columns.index(name) for name in names]):
        numbers.extend(batch.numbers.tolist())
        for name, column in zip(names, batch.columns, strict=True):
            cells[name].extend(column.to_pylist())
    if not numbers:
        raise UserError(f"{path} has no rows", "Give a file with at least one answer")
    for name in names:
        for number, cell in zip(numbers, cells[name], strict=True):
            if cell is None or (name != "prediction" and not cell.strip()):
                raise UserError(
                    f"{source.where(number)} has no {name}",
                    "Fill it in (an empty answer is an empty string, which a csv or jsonl file can hold)",
                )
    answers = Answers(
        predictions=cells["prediction"],
        references=cells["reference"],
        questions=cells.get("question"),
        severities=_severities(source, numbers, cells["severity"]) if "severity" in cells else None,
    )
    ids = cells.get("id") or [str(row) for row in range(1, len(answers) + 1)]
    seen: set[str] = set()
    for number, name in zip(numbers, ids, strict=True):
        if name in seen:
            raise UserError(f"{source.where(number)}: the id {name!r} occurs twice", "Give each row its own id")
        seen.add(name)
    return AnswersFile(ids, answers)


def _columns(source: Source) -> list[str]:
    for name in (*_REQUIRED, *_OPTIONAL):
        count = source.columns.count(name)
        if count > 1:
            raise UserError(f"{source.path} has the column {name!r} {count} times", "Rename all but one")
        if not count and name in _REQUIRED:
            raise UserError(
                f"{source.path} has no column {name!r}; it has {', '.join(map(repr, source.columns))}",
                "Name the columns prediction and reference and, if they are there, severity, question and id",
            )
    return [name for name in (*_REQUIRED, *_OPTIONAL) if name in source.columns]


def _severities(source: Source, numbers: list[int], cells: list[str]) -> list[Severity]:
    severities = []
    for number, cell in zip(numbers, cells, strict=True):
        try:
            severities.append(parse_severity(cell))
        except UserError as error:
            raise UserError(f"{source.where(number)}: {error.problem}", error.remedy) from None
    return severities
