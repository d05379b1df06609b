"""What holds of every source, whatever reads it: few columns, no control characters, lists only if asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .base import Batch, IsHeader, Note, Row, Source, batched

MOST_COLUMNS = 16_384
# Spreadsheets write a carriage return as _x000D_.
_BREAKS, _CONTROLS = "[\\x0b\\x0c]|_x000[Dd]_", "[\\x00-\\x08\\x0e-\\x1f\\x7f]"
_TABLE = {code: "\n" if code in (11, 12) else None for code in (*range(9), 11, 12, *range(14, 32), 127)}


def check_width(path: Path, columns: int) -> None:
    """Raises:
    UserError: there are more columns than a spreadsheet can have.
    """
    if columns > MOST_COLUMNS:
        raise UserError(
            f"{path} has {columns:,} columns or more, where {MOST_COLUMNS:,} are the most",
            "Give a table with a row for each question",
        )


def finished(source: Source, is_header: IsHeader | None, nested: bool) -> Source:
    """A source as commands read it.

    Control characters are taken out and counted (a vertical tab and a page break become a line break), and records
    that hold the columns that are looked for are opened, if no other column does.

    Args:
        nested: whether cells may be lists or records; else they are an error while reading.
    """
    check_width(source.path, len(source.columns))
    opened = _unwrapped(source, is_header)

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        removed = rows = 0
        for batch in opened.batches(places):
            if batch.nested and not nested:
                place = min(batch.nested)
                row, value = next(iter(batch.nested[place].items()))
                raise UserError(
                    f"{opened.where(int(batch.numbers[row]))} column {opened.columns[places[place]]!r} holds"
                    f" {type(value).__name__} where text is expected",
                    "Store plain text in the column",
                )
            clean, marks, touched = _cleaned(batch)
            removed, rows = removed + marks, rows + touched
            yield clean
        opened.notes[:] = [note for note in opened.notes if note.key != "reading.controls"]
        if removed:
            opened.notes.append(Note("reading.controls", {"count": f"{removed:,}", "rows": f"{rows:,}"}))

    return replace(opened, batches=batches)


def _cleaned(batch: Batch) -> tuple[Batch, int, int]:
    """The batch without control characters, how many there were, and in how many rows."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    removed, touched = 0, np.zeros(len(batch.numbers), bool)
    columns = []
    for column in batch.columns:
        marks = pc.add(pc.count_substring_regex(column, _BREAKS), pc.count_substring_regex(column, _CONTROLS))
        if count := pc.sum(marks).as_py():
            removed += count
            touched |= pc.fill_null(pc.greater(marks, 0), False).to_numpy(zero_copy_only=False)
            column = pc.replace_substring_regex(column, _BREAKS, "\n")
            column = pc.replace_substring_regex(column, _CONTROLS, "")
        columns.append(column.cast(pa.large_string()))
    nested: dict[int, dict[int, Any]] = {}
    for place, cells in batch.nested.items():
        nested[place] = {}
        for row, cell in cells.items():
            nested[place][row], count = _cleaned_value(cell)
            removed, touched[row] = removed + count, touched[row] or count > 0
    return replace(batch, columns=columns, nested=nested), removed, int(touched.sum())


def _cleaned_value(value: Any) -> tuple[Any, int]:
    if isinstance(value, str):
        plain = value.translate(_TABLE)
        return plain, sum(value.count(mark) for mark in map(chr, _TABLE)) if plain != value else 0
    if isinstance(value, list):
        parts = [_cleaned_value(each) for each in value]
        return [part for part, _ in parts], sum(count for _, count in parts)
    if isinstance(value, dict):
        found = {name: _cleaned_value(each) for name, each in value.items()}
        return {name: part for name, (part, _) in found.items()}, sum(count for _, count in found.values())
    return value, 0


def _unwrapped(source: Source, is_header: IsHeader | None) -> Source:
    """The source with the fields of a record as columns, where these are what is looked for."""
    if is_header is None or not source.columns or is_header(source.columns):
        return source
    first = next(source.batches(range(len(source.columns))), None)
    for place, cells in (first.nested if first is not None else {}).items():
        fields = list(dict.fromkeys(name for cell in cells.values() if isinstance(cell, dict) for name in cell))
        if is_header(fields):
            return _opened(source, place, fields)
    return source


def _opened(source: Source, place: int, fields: Sequence[str]) -> Source:
    rest = [each for each in range(len(source.columns)) if each != place and source.columns[each] not in fields]
    columns = [*fields, *(source.columns[each] for each in rest)]

    def rows(places: Sequence[int]) -> Iterator[Row]:
        others = [rest[each - len(fields)] for each in places if each >= len(fields)]
        for batch in source.batches([place, *others]):
            records, *texts = (
                [batch.nested.get(at, {}).get(row, text) for row, text in enumerate(column.to_pylist())]
                for at, column in enumerate(batch.columns)
            )
            for row, number in enumerate(batch.numbers.tolist()):
                record = records[row] if isinstance(records[row], dict) else {}
                rest_of = iter(texts)
                yield (
                    number,
                    [record.get(columns[each]) if each < len(fields) else next(rest_of)[row] for each in places],
                )

    source.notes.append(Note("reading.unwrapped", {"column": source.columns[place]}))
    return replace(source, columns=columns, batches=lambda places: batched(rows(places), len(places), source.where))
