"""Answers to be scored, read from a table that anyone may have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import UserError
from ..data.dataset import REFERENCES
from ..data.layouts import answers_of
from ..data.sources import open_source
from ..data.sources.base import Batch, Source
from ..severity import Severity, parse_severity
from .base import Answers

_REQUIRED = ("prediction", "reference")
_OPTIONAL = ("severity", "question", "id", REFERENCES)


@dataclass(frozen=True)
class AnswersFile:
    """Rows of a file: ``ids`` are its own, or else the rows counted from 1."""

    ids: list[str]
    answers: Answers


def read_answers(path: Path, reading: Mapping[str, str] | None = None) -> AnswersFile:
    """Read a file or folder of any known kind with the columns ``prediction`` and ``reference``.

    ``severity``, ``question`` and ``id`` are read if they are there, and so is ``references``: a list of all
    references of a question, the first of which stands for a missing ``reference``. An empty prediction is an empty
    answer; a missing one (null, or no such key in the row) is an error, since nobody can say what was answered.
    ``reading`` are options of its reader.

    Raises:
        UserError: the file cannot be read, has no rows or lacks a column; a cell is missing, a reference is empty,
            a severity is unknown, or an id occurs twice.
    """
    source = open_source(path, reading, nested=True)
    names = _columns(source)
    numbers: list[int] = []
    cells: dict[str, list[str]] = {name: [] for name in names}
    for batch in source.batches([source.columns.index(name) for name in names]):
        _refuse_lists(source, batch, names)
        numbers.extend(batch.numbers.tolist())
        for name, column in zip(names, batch.columns, strict=True):
            cells[name].extend(column.to_pylist())
    if not numbers:
        raise UserError(f"{path} has no rows", "Give a file with at least one answer")
    every = _references(cells) if REFERENCES in names else None
    if every is not None and "reference" not in names:
        names, cells["reference"] = [*names, "reference"], [next(iter(listed), "") for listed in every]
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
        all_references=every,
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
        if not count and name in _REQUIRED and (name == "prediction" or REFERENCES not in source.columns):
            raise UserError(
                f"{source.path} has no column {name!r}; it has {', '.join(map(repr, source.columns))}",
                "Name the columns prediction and reference and, if they are there, severity, question and id",
            )
    return [name for name in (*_REQUIRED, *_OPTIONAL) if name in source.columns]


def _refuse_lists(source: Source, batch: Batch, names: list[str]) -> None:
    for place, cells in batch.nested.items():
        if names[place] != REFERENCES:
            row, value = next(iter(cells.items()))
            raise UserError(
                f"{source.where(int(batch.numbers[row]))} column {names[place]!r} holds {type(value).__name__}"
                " where text is expected",
                f"Store plain text in the column, and lists of references in a column {REFERENCES!r}",
            )


def _references(cells: Mapping[str, list[str]]) -> list[list[str]]:
    """All references of each row, without empty ones."""
    listed = [answers_of(cell, nested=False) or [cell or ""] for cell in cells[REFERENCES]]
    return [[text for text in row if text.strip()] for row in listed]


def _severities(source: Source, numbers: list[int], cells: list[str]) -> list[Severity]:
    severities = []
    for number, cell in zip(numbers, cells, strict=True):
        try:
            severities.append(parse_severity(cell))
        except UserError as error:
            raise UserError(f"{source.where(number)}: {error.problem}", error.remedy) from None
    return severities
