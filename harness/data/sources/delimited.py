"""Cells with a delimiter between them: csv and tsv."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...core.errors import UserError
from .base import Batch, Row, Source, batched
from .lines import count_lines
from .readers import source

_DELIMITERS = ";\t,|"


@source(".csv")
def open_csv(path: Path) -> Source:
    """Open a csv file; see ``open_delimited``."""
    return open_delimited(path, ",")


@source(".tsv")
def open_tsv(path: Path) -> Source:
    """Open a tsv file; see ``open_delimited``."""
    return open_delimited(path, "\t")


def open_delimited(path: Path, delimiter: str) -> Source:
    """Open a csv or tsv file in UTF-8 (a byte order mark is skipped) with a header; blank lines are no rows.

    Raises:
        UserError: the file is not UTF-8, has no header or another delimiter; while reading, a row has more or
            fewer cells than the header or its quotes do not match.
    """
    lines = count_lines(path)
    header = next((cells for _, cells in _records(path, delimiter)), None)
    if header is None:
        raise UserError(f"{path} is empty", "Give a file with a header and rows")
    if len(header) == 1 and (other := next((mark for mark in _DELIMITERS if mark in header[0]), None)):
        raise UserError(
            f"{path} has its columns apart by {other!r}",
            f"Put {delimiter!r} between them, or give the file as xlsx",
        )

    def rows(places: Sequence[int]) -> Iterator[Row]:
        records = _records(path, delimiter)
        next(records)
        for number, cells in records:
            if len(cells) != len(header):
                raise UserError(
                    f"{path} row {number} has {len(cells)} cells where the header has {len(header)}",
                    "Quote cells that hold the delimiter or a line break",
                )
            yield number, [cells[place] for place in places]

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, header, lines - 1, batches)
    return opened


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        # Strict: the lenient reader would quietly drop quotes out of a cell.
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        number = 0
        try:
            for number, cells in enumerate(reader, start=1):
                if cells:
                    yield number, cells
        except csv.Error as error:
            raise UserError(
                f"{path} row {number + 1} (line {reader.line_num}) is not readable: {error}",
                'Put cells with quotes in quotes and double the inner ones (""), or give the file as jsonl',
            ) from error
