"""Sheets of xls, ods and xlsb, through python-calamine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from ...core.errors import UserError
from .archives import check_package, open_seekable, said
from .base import IsHeader, Note, Source
from .headers import SEARCHED
from .readers import HEADER_ROW, SHEET, source
from .sheets import Cells, choose_sheet, sheet_source


@source(".xls", ".ods", ".xlsb", options=[SHEET, HEADER_ROW], finds_header=True)
def open_calamine(
    path: Path, is_header: IsHeader | None = None, sheet: str | None = None, header_row: str | None = None
) -> Source:
    """Open a sheet of an xls, ods or xlsb file; hidden sheets are not read.

    Raises:
        UserError: the library is missing, or cannot read the file; see ``sheets``.
    """
    try:
        import python_calamine
    except ImportError:
        raise UserError(
            f"{path} is read with python-calamine, which is not installed",
            "pip install 'maqa-severity[sheets]', or save the file as xlsx or csv",
        ) from None
    problems = (python_calamine.CalamineError, BadZipFile, OSError, ValueError, RuntimeError, MemoryError)
    remedy = "Save it as xlsx, or as csv (a file with a password without one)"
    notes: list[Note] = []
    try:
        with open_seekable(path) as stream:
            if stream.read(2) == b"PK":
                check_package(path, stream)
            stream.seek(0)
            book = python_calamine.CalamineWorkbook.from_filelike(stream)
            tables = {
                each.name: (each.visible, book.get_sheet_by_name(each.name))
                for each in book.sheets_metadata
                if str(each.typ).endswith("WorkSheet")
            }
            rows = {name: list(_filled(table)) for name, (_, table) in tables.items()}
    except problems as error:
        raise UserError(f"{path} is not a readable {path.suffix[1:]} file: {said(error)}", remedy) from error
    except BaseException as error:
        # The library's own panic is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise UserError(f"{path} is not a readable {path.suffix[1:]} file: {said(error)}", remedy) from None
    heads = {name: found[:SEARCHED] for name, found in rows.items()}
    hidden = [name for name, (visible, _) in tables.items() if not str(visible).endswith("Visible")]
    name = choose_sheet(path, heads, hidden, sheet, is_header, notes)

    def rows_of(start: int, width: int) -> Iterator[Cells]:
        return ((number, cells) for number, cells in rows[name] if number > start)

    return sheet_source(path, heads[name], rows_of, header_row, is_header, notes)


def _filled(table: Any) -> Iterator[Cells]:
    first_row, first_column = table.start or (0, 0)
    merged = {
        (row, left): table_value
        for (top, left), (bottom, _) in (table.merged_cell_ranges or [])
        for row in range(top + 1, min(bottom, top + 100_000) + 1)
        for table_value in [(top, left)]
    }
    values: dict[tuple[int, int], Any] = {}
    anchors = set(merged.values())
    for offset, cells in enumerate(table.iter_rows()):
        row = first_row + offset
        found = [None] * first_column + [_value(cell) for cell in cells]
        for column, cell in enumerate(found):
            if (row, column) in anchors:
                values[row, column] = cell
            elif cell is None and (row, column) in merged:
                found[column] = values.get(merged[row, column])
        if any(cell is not None for cell in found):
            yield row + 1, found


def _value(cell: Any) -> Any:
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return None if cell == "" else cell
