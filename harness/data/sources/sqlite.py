"""Tables and views of sqlite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .base import Batch, Row, Source, as_text, batched, listed
from .readers import Option, source


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
                raise UserError(f"{path} has no table {table!r}; it has {listed(tables)}", "Correct --table")
            if not tables:
                raise UserError(f"{path} has no tables", "Give a database with a table of questions and answers")
            if table is None and len(tables) > 1:
                raise UserError(f"{path} has several tables: {listed(tables)}", "Choose one with --table")
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
        return as_text(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is not UTF-8 at byte {error.start} of the cell", "Correct the text") from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
