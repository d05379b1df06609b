"""Readers of parquet, xlsx and sqlite."""

from __future__ import annotations

import sqlite3
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from ...core.errors import UserError
from .base import BATCH_ROWS, Batch, Row, Source, arrow_text, as_text, batched
from .readers import Option, source

# What openpyxl lets through when an archive or one of its parts is not what it should be.
_XLSX_ERRORS = (
    *(BadZipFile, zlib.error, RuntimeError, KeyError, ValueError, SyntaxError),
    *(EOFError, TypeError, IndexError, AttributeError),
)

# What a cell holds whose formula failed.
_XLSX_BLANKS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")


@source(".parquet")
def open_parquet(path: Path) -> Source:
    """Open a parquet file; numbers become text.

    Raises:
        UserError: it is no parquet; while reading, a column holds lists or records, or a cell is no UTF-8.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns, expected = list(file.schema_arrow.names), file.metadata.num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a readable parquet file: {error}", "Write the file again") from error

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        names = [columns[place] for place in places]
        start = 1
        with pq.ParquetFile(path) as file:
            try:
                for batch in file.iter_batches(BATCH_ROWS, columns=names):
                    texts = [arrow_text(batch.column(name), name, start, path) for name in names]
                    yield Batch(np.arange(start, start + len(batch), dtype=np.int64), texts)
                    start += len(batch)
            except (OSError, pa.ArrowException) as error:
                raise UserError(
                    f"{path} cannot be read past row {start}: {error}", "Write the file again"
                ) from error

    return Source(path, columns, expected, batches)


@source(".xlsx", options=[Option("sheet", "Sheet of an xlsx file that has several.", among="sheets")])
def open_xlsx(path: Path, sheet: str | None = None) -> Source:
    """Open a sheet of an xlsx file; the header is its first row that is not blank, blank rows are no rows
    and errors of formulas empty cells.

    Raises:
        UserError: the file is no xlsx, is empty, has several sheets and none is chosen, or lacks the chosen one.
    """
    sheets = {name: first for name, first in _first_rows(path).items() if first is not None or name == sheet}
    if sheet is not None and sheet not in sheets:
        raise UserError(f"{path} has no sheet {sheet!r}; it has {_list(list(sheets))}", "Correct --sheet")
    if sheet is None and len(sheets) > 1:
        raise UserError(f"{path} has several sheets: {_list(list(sheets))}", "Choose one with --sheet")
    name, header = (sheet, sheets[sheet]) if sheet is not None else next(iter(sheets.items()), (None, None))
    if name is None or header is None:
        raise UserError(f"{path} is empty", "Give a sheet with a header and rows")
    columns = ["" if cell is None else str(cell) for cell in header]

    def rows(places: Sequence[int]) -> Iterator[Row]:
        records = _sheet_rows(path, name)
        next(records)
        for number, cells in records:
            if any(cell is not None for cell in cells[len(columns) :]):
                raise UserError(f"{opened.where(number)} has more cells than the header", "Correct the row")
            chosen = [cells[place] if place < len(cells) else None for place in places]
            values = [None if value in _XLSX_BLANKS else value for value in chosen]
            yield number, [as_text(value, opened.where(number)) for value in values]

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, columns, None, batches)
    return opened


def _first_rows(path: Path) -> dict[str, Sequence[Any] | None]:
    with closing(_workbook(path)) as workbook:
        return {
            sheet.title: next((cells for _, cells in _filled_rows(path, sheet)), None)
            for sheet in workbook.worksheets
        }


def _sheet_rows(path: Path, name: str) -> Iterator[tuple[int, Sequence[Any]]]:
    with closing(_workbook(path)) as workbook:
        yield from _filled_rows(path, workbook[name])


def _filled_rows(path: Path, sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    # Some writers store a wrong extent, and rows beyond it would be lost.
    sheet.reset_dimensions()
    number = 0
    try:
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            if any(cell is not None for cell in cells):
                yield number, cells
    except _XLSX_ERRORS as error:
        raise UserError(f"{path} cannot be read past row {number}: {error}", "Save the file again") from error


def _workbook(path: Path) -> Any:
    import openpyxl

    try:
        with warnings.catch_warnings():
            # About styles and validations that are not read here.
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except _XLSX_ERRORS as error:
        raise UserError(f"{path} is not a readable xlsx file: {error}", "Save it as xlsx, or as csv") from error


@source(
    *(".sqlite", ".sqlite3", ".db"),
    options=[Option("table", "Table of a sqlite file that has several.", among="tables")],
)
def open_sqlite(path: Path, table: str | None = None) -> Source:
    """Open a table or view of a sqlite file.

    Raises:
        UserError: the file is no sqlite database, has no table, has several and none is chosen, or lacks the chosen
            one; while reading, a cell is no UTF-8.
    """
    try:
        with closing(_connect(path)) as connection:
            query = (
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_'"
            )
            tables = [name.decode() for (name,) in connection.execute(query)]
            if table is not None and table not in tables:
                raise UserError(f"{path} has no table {table!r}; it has {_list(tables)}", "Correct --table")
            if not tables:
                raise UserError(f"{path} has no tables", "Give a database with a table of questions and answers")
            if table is None and len(tables) > 1:
                raise UserError(f"{path} has several tables: {_list(tables)}", "Choose one with --table")
            name = _quoted(table or tables[0])
            columns = [part[0] for part in connection.execute(f"SELECT * FROM {name} LIMIT 0").description]
            (expected,) = connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a readable sqlite database: {error}", "Check the file") from error

    def rows(places: Sequence[int]) -> Iterator[Row]:
        chosen = ", ".join(_quoted(columns[place]) for place in places)
        try:
            with closing(_connect(path)) as connection:
                for number, cells in enumerate(connection.execute(f"SELECT {chosen} FROM {name}"), start=1):
                    yield number, [_cell(value, opened.where(number)) for value in cells]
        except sqlite3.Error as error:
            raise UserError(f"{path} cannot be read: {error}", "Check the database") from error

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, columns, expected, batches)
    return opened


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    # Texts are decoded here, where an error can name the row.
    connection.text_factory = bytes
    return connection


def _cell(value: Any, where: str) -> str | None:
    if not isinstance(value, bytes):
        return as_text(value, where)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is not UTF-8 at byte {error.start} of the cell", "Correct the text") from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"
