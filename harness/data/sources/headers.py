"""Which row of a table is its header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .base import IsHeader, Note

SEARCHED = 20
"""Rows among which a header is looked for."""


def find_header(
    path: Path, rows: Sequence[tuple[int, Sequence[Any]]], given: str | None, is_header: IsHeader | None
) -> tuple[int, list[str], list[Note]]:
    """Number and names of the header among the first rows that are not blank, and what to say of it.

    It is the given row; else the first, unless that lacks what is looked for and exactly one other has it.

    Raises:
        UserError: the given row is none of them.
    """
    if given is not None:
        number = header_row(given)
        for each, cells in rows:
            if each == number:
                return each, names_of(cells), []
        raise UserError(f"{path} has no row {number} with cells among its first rows", "Correct --header-row")
    if is_header is not None and not is_header(names_of(rows[0][1])):
        found = [(number, names) for number, cells in rows[1:] if is_header(names := names_of(cells))]
        if len(found) == 1:
            number, names = found[0]
            return number, names, [Note("reading.header_row", {"row": number})]
    number, cells = rows[0]
    return number, names_of(cells), []


def header_row(given: str) -> int:
    """The number of ``--header-row``.

    Raises:
        UserError: it is no number from 1 on.
    """
    if not (given.isascii() and given.isdigit() and 0 < int(given[:9]) <= 10_000):
        raise UserError(f"--header-row {given!r} is no row", "Give a number such as 2")
    return int(given)


def names_of(cells: Sequence[Any]) -> list[str]:
    """Cells as names of columns; without the empty ones at the end."""
    names = ["" if cell is None else str(cell).strip("\ufeff\u200b\0 \t\r\n") for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names
