"""Readers of csv, tsv and jsonl."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .base import Batch, Row, Source, as_text, batched
from .readers import source

_CHUNK = 1 << 20
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
    lines = _count_lines(path)
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


@source(".jsonl")
def open_jsonl(path: Path) -> Source:
    """Open a file with one JSON object a line, in UTF-8; its columns are the keys of all rows.

    Raises:
        UserError: the file is not UTF-8, or a line is no JSON object.
    """
    lines = _count_lines(path)
    keys: dict[str, None] = {}
    for _, record in _objects(path):
        keys.update(dict.fromkeys(record))
    if not keys:
        raise UserError(f"{path} is empty", "Give a file with one JSON object a line")
    columns = list(keys)

    def rows(places: Sequence[int]) -> Iterator[Row]:
        names = [columns[place] for place in places]
        for number, record in _objects(path):
            yield number, [as_text(record.get(name), f"{path} row {number} key {name!r}") for name in names]

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, columns, lines, batches)
    return opened


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    remedy = "Write one JSON object a line"
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{path} row {number} is not JSON: {error}", remedy) from None
            if not isinstance(record, dict):
                raise UserError(f"{path} row {number} is no JSON object", remedy)
            yield number, record


def _count_lines(path: Path) -> int:
    """Lines of a file, and the proof that it is UTF-8.

    Raises:
        UserError: it is not; names the byte and the line.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = offset = 0
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                place = offset - pending + error.start
                line = lines + chunk.count(b"\n", 0, max(error.start - pending, 0)) + 1
                raise UserError(f"{path} is not UTF-8 at byte {place} (line {line})", "Save it as UTF-8") from None
            if not chunk:
                return lines
            lines += chunk.count(b"\n")
            offset += len(chunk)
