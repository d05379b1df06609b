"""Sheets of xlsx."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .archives import check_package, open_seekable, said
from .base import IsHeader, Note, Source
from .headers import SEARCHED, names_of
from .readers import HEADER_ROW, SHEET, source
from .sheets import Cells, choose_sheet, sheet_source
from .xlsx_scan import Scan, column_letters, scan_sheet

# What openpyxl lets through when an archive or one of its parts is not what it should be.
_XLSX_ERRORS = (
    *(
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        KeyError,
        ValueError,
        SyntaxError,
        OSError,
        NotImplementedError,
    ),
    *(EOFError, TypeError, IndexError, AttributeError, MemoryError, OverflowError, AssertionError),
)
_MOST_CELLS = 200_000_000


@source(".xlsx", ".xlsm", options=[SHEET, HEADER_ROW], finds_header=True)
def open_xlsx(
    path: Path, is_header: IsHeader | None = None, sheet: str | None = None, header_row: str | None = None
) -> Source:
    """Open a sheet of an xlsx file. Cells that are merged over rows all have the value; hidden sheets are not read.

    Raises:
        UserError: the file is no xlsx, is empty, has several sheets and none is chosen, or lacks the chosen one;
            while reading, a formula was never calculated.
    """
    notes: list[Note] = []
    with _workbook(path) as workbook:
        heads = {each.title: list(islice(_filled_rows(path, each), SEARCHED)) for each in workbook.worksheets}
        hidden = [each.title for each in workbook.worksheets if each.sheet_state != "visible"]
        name = choose_sheet(path, heads, hidden, sheet, is_header, notes)
        scan = _scanned(path, workbook, name)

    def rows_of(start: int, width: int) -> Iterator[Cells]:
        with _workbook(path) as workbook:
            yield from _filled_down(
                ((n, cells) for n, cells in _filled_rows(path, workbook[name]) if n > start), scan, start
            )

    opened = sheet_source(path, heads[name], rows_of, header_row, is_header, notes)
    start = _start(opened, heads[name])
    _say_merged(opened, scan, start)
    return _without_uncalculated(opened, scan, name)


def _start(opened: Source, head: Sequence[Cells]) -> int:
    return next(number for number, cells in head if names_of(cells) == opened.columns)


def _say_merged(opened: Source, scan: Scan, start: int) -> None:
    areas = [area for area in scan.merged if area[1] > start and area[0] < len(opened.columns)]
    for column in sorted({column for column, _, _ in areas}):
        found = [(first, last) for place, first, last in areas if place == column]
        values = {
            "column": opened.columns[column],
            "areas": f"{len(found):,}",
            "cells": f"{sum(last - first for first, last in found):,}",
        }
        opened.notes.append(Note("reading.merged", values))


def _without_uncalculated(opened: Source, scan: Scan, sheet: str) -> Source:
    def batches(places: Sequence[int]) -> Iterator[Any]:
        for place in places:
            if place in scan.uncalculated:
                row, count = scan.uncalculated[place]
                raise UserError(
                    f"{opened.path} sheet {sheet!r} cell {column_letters(place)}{row} holds a formula that was"
                    f" never calculated, as do {count:,} in column {opened.columns[place]!r}",
                    "Open the file in a spreadsheet and save it, which stores the values, or save the sheet as csv",
                )
        return opened.batches(places)

    return replace(opened, batches=batches)


def _filled_down(rows: Iterator[Cells], scan: Scan, start: int) -> Iterator[Cells]:
    """Rows in which every cell of a merged area has the area's value."""
    areas = sorted(area for area in scan.merged if area[1] > start)
    by_row: dict[int, list[tuple[int, int]]] = {}
    for column, first, last in areas:
        by_row.setdefault(first, []).append((column, last))
    if not by_row:
        yield from rows
        return
    held: dict[int, tuple[int, Any]] = {}
    for number, cells in rows:
        filled = list(cells)
        for column, (last, value) in list(held.items()):
            if number > last:
                del held[column]
            elif value is not None:
                filled += [None] * (column + 1 - len(filled))
                if filled[column] is None:
                    filled[column] = value
        for column, last in by_row.get(number, ()):
            held[column] = last, cells[column] if column < len(cells) else None
        yield number, filled


def _filled_rows(path: Path, sheet: Any) -> Iterator[Cells]:
    # Some writers store a wrong extent, and rows beyond it would be lost.
    sheet.reset_dimensions()
    number = seen = 0
    try:
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            seen += len(cells)
            if seen > _MOST_CELLS:
                raise UserError(f"{path} has more than {_MOST_CELLS:,} cells", "Save the sheet as csv")
            if any(cell is not None for cell in cells):
                yield number, cells
    except _XLSX_ERRORS as error:
        raise UserError(f"{path} cannot be read past row {number}: {said(error)}", "Save the file again") from error


def _scanned(path: Path, workbook: Any, name: str) -> Scan:
    try:
        with workbook._archive.open(workbook[name]._worksheet_path) as stream:
            return scan_sheet(stream)
    except _XLSX_ERRORS as error:
        raise UserError(f"{path} sheet {name!r} cannot be read: {said(error)}", "Save the file again") from error


@contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    import openpyxl

    with ExitStack() as stack:
        try:
            stream = stack.enter_context(open_seekable(path))
            check_package(path, stream)
            with warnings.catch_warnings():
                # About styles and validations that are not read here.
                warnings.simplefilter("ignore")
                workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        except _XLSX_ERRORS as error:
            raise UserError(
                f"{path} is not a readable xlsx file: {said(error)}", "Save it as xlsx, or as csv"
            ) from error
        stack.callback(workbook.close)
        yield workbook
