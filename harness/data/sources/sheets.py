"""Which sheet of a workbook is read, and how its rows become a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .base import Batch, IsHeader, Note, Row, Source, batched, listed
from .headers import find_header

Cells = tuple[int, Sequence[Any]]
# What a cell holds whose formula failed.
_FAILED = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")


def choose_sheet(
    path: Path,
    heads: Mapping[str, Sequence[Cells]],
    hidden: Sequence[str],
    given: str | None,
    is_header: IsHeader | None,
    notes: list[Note],
) -> str:
    """The sheet to read: the given one, else the only visible one with rows, or with what is looked for.

    Args:
        heads: the first rows of every sheet that are not blank.
        hidden: sheets that a spreadsheet does not show.

    Raises:
        UserError: there is none, several, or not the given one.
    """
    if given is not None:
        if given not in heads:
            raise UserError(f"{path} has no sheet {given!r}; it has {listed(list(heads))}", "Correct --sheet")
        if not heads[given]:
            raise UserError(f"{path} has no rows in sheet {given!r}", "Correct --sheet")
        return given
    filled = [name for name, rows in heads.items() if rows]
    shown = [name for name in filled if name not in hidden] or filled
    if not shown:
        raise UserError(f"{path} is empty", "Give a sheet with a header and rows")
    if len(shown) > 1:
        fitting = [name for name in shown if is_header and any(is_header(_text(cells)) for _, cells in heads[name])]
        if len(fitting) != 1:
            raise UserError(
                f"{path} has several sheets: {listed(fitting or shown)}",
                "Choose one with --sheet (`maqa prepare`), or save it as a file of its own",
            )
        shown = fitting
    if left := [name for name in filled if name != shown[0]]:
        notes.append(Note("reading.sheets", {"sheet": shown[0], "others": ", ".join(left)}))
    return shown[0]


def sheet_source(
    path: Path,
    head: Sequence[Cells],
    rows_of: Callable[[int, int], Iterable[Cells]],
    header_row: str | None,
    is_header: IsHeader | None,
    notes: list[Note],
) -> Source:
    """A sheet as a source; blank rows are no rows and errors of formulas empty cells.

    Args:
        head: its first rows that are not blank.
        rows_of: rows after the header's number, of so many columns.

    Raises:
        UserError: there is no such header; while reading, a row has more cells than the header.
    """
    start, columns, said = find_header(path, head, header_row, is_header)
    notes += said

    def rows(places: Sequence[int]) -> Iterator[Row]:
        failed = 0
        for number, cells in rows_of(start, len(columns)):
            if any(cell is not None and cell != "" for cell in cells[len(columns) :]):
                raise UserError(f"{opened.where(number)} has more cells than the header", "Correct the row")
            chosen = [cells[place] if place < len(cells) else None for place in places]
            failed += sum(value in _FAILED for value in chosen if isinstance(value, str))
            yield number, [None if isinstance(value, str) and value in _FAILED else value for value in chosen]
        opened.notes[:] = [note for note in opened.notes if note.key != "reading.failed"]
        if failed:
            opened.notes.append(Note("reading.failed", {"count": f"{failed:,}"}))

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, columns, None, batches, notes=notes, has_header=True)
    return opened


def _text(cells: Sequence[Any]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells]
