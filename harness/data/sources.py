"""Source files of every known format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import UserError
from .source import Source
from .source_tables import open_parquet, open_sqlite, open_xlsx
from .source_text import open_delimited, open_jsonl

_SQLITE = (".sqlite", ".sqlite3", ".db")


def open_source(path: Path, table: str | None = None, sheet: str | None = None) -> Source:
    """Open a csv, tsv, xlsx, parquet, jsonl or sqlite file.

    Args:
        table: which table of a sqlite file; needed if it has several.
        sheet: which sheet of an xlsx file; needed if several are not empty.

    Raises:
        UserError: the file is missing, empty, of an unknown extension or not of its format; an option does not
            apply to it. Reading the batches raises it for a row that cannot be read.
    """
    readers: dict[str, Callable[[Path], Source]] = {
        ".csv": lambda path: open_delimited(path, ","),
        ".tsv": lambda path: open_delimited(path, "\t"),
        ".jsonl": open_jsonl,
        ".parquet": open_parquet,
        ".xlsx": lambda path: open_xlsx(path, sheet),
        **dict.fromkeys(_SQLITE, lambda path: open_sqlite(path, table)),
    }
    extension = path.suffix.lower()
    if not path.exists():
        raise UserError(f"source file {path} does not exist", "Check the path")
    if not path.is_file():
        raise UserError(f"{path} is not a file", f"Give one file: {', '.join(readers)}")
    if extension not in readers:
        raise UserError(
            f"{path} has the unknown extension {extension!r}", f"Convert it to one of {', '.join(readers)}"
        )
    if sheet is not None and extension != ".xlsx":
        raise UserError(f"{path} has no sheets", "Leave --sheet out: it is for xlsx files")
    if table is not None and extension not in _SQLITE:
        raise UserError(f"{path} has no tables to choose from", "Leave --table out: it is for sqlite files")
    try:
        if not path.stat().st_size:
            raise UserError(f"{path} is empty", "Give a file with a header and rows")
        return readers[extension](path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}", "Check the file") from error
