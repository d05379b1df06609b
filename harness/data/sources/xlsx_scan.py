"""What a sheet's XML says that openpyxl's streaming reader leaves out: merged areas, formulas never calculated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import BinaryIO

_CHUNK = 1 << 20
_OVERLAP = 1 << 16
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)[\"']")
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)>\s*<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_PLACE = re.compile(rb"\br=[\"']([A-Z]+)(\d+)[\"']")
_TEXT = re.compile(rb"\bt=[\"']str[\"']")
_MOST_AREAS = 1_000_000


@dataclass
class Scan:
    """``merged``: column (from 0), first and last row of areas of several rows, the column being the area's first.

    ``uncalculated``: first row and count, by column, of cells with a formula and no value.
    """

    merged: list[tuple[int, int, int]] = field(default_factory=list)
    uncalculated: dict[int, tuple[int, int]] = field(default_factory=dict)


def scan_sheet(stream: BinaryIO) -> Scan:
    """Read the XML of a sheet in pieces."""
    found = Scan()
    rest = b""
    while chunk := stream.read(_CHUNK):
        text = rest + chunk
        done = _take(text, found)
        rest = text[max(done, len(text) - _OVERLAP) :]
    return found


def _take(text: bytes, found: Scan) -> int:
    done = 0
    for match in _MERGED.finditer(text):
        done = max(done, match.end())
        column, first, last = column_number(match[1]), int(match[2][:9]), int(match[4][:9])
        if last > first and len(found.merged) < _MOST_AREAS:
            found.merged.append((column, first, last))
    for match in _FORMULA.finditer(text):
        done = max(done, match.end())
        place = _PLACE.search(match[1])
        # A formula that gives an empty text is marked as text.
        if place is None or _TEXT.search(match[1]):
            continue
        column = column_number(place[1])
        row, count = found.uncalculated.get(column, (int(place[2][:9]), 0))
        found.uncalculated[column] = row, count + 1
    return done


def column_number(letters: bytes) -> int:
    """Place from 0 of a column called ``A``, ``AB``..."""
    number = 0
    for letter in letters[:4]:
        number = 26 * number + letter - 64
    return number - 1


def column_letters(number: int) -> str:
    """How a spreadsheet calls the column at a place from 0."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
