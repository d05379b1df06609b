"""Sheets of xlsx."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from ...core.errors import UserError
from .base import Batch, Row, Source, as_text, batched, listed
from .readers import Option, source

# What openpyxl lets through when an archive or one of its parts is not what it should be.
_XLSX_ERRORS = (
    *(BadZipFile, zlib.error, RuntimeError, KeyError, ValueError, SyntaxError),
    *(EOFError, TypeError, IndexError, AttributeError),
)

# What a cell holds whose formula failed.
_XLSX_BLANKS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")


@source(".xlsx", options=[Option("sheet", "Sheet of an xlsx file that has several.", among="sheets")])
def open_xlsx(path: Path, sheet: str | None = None) -> Source:
    """Open a sheet of an xlsx file; the header is its first row that is not blank, blank rows are no rows
    and errors of formulas empty cells.

    Raises:
        UserError: the file is no xlsx, is empty, has several sheets and none is chosen, or lacks the chosen one.
    """
    sheets = {name: first for name, first in _first_rows(path).items() if first is not None or name == sheet}
    if sheet is not None and sheet not in sheets:
        raise UserError(f"{path} has no sheet {sheet!r}; it has {listed(list(sheets))}", "Correct --sheet")
    if sheet is None and len(sheets) > 1:
        raise UserError(
            f"{path} has several sheets: {listed(list(sheets))}",
            "Choose one with --sheet (`maqa prepare`), or save it as a file of its own",
        )
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
