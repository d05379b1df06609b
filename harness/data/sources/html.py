"""Reader of a table in a web page, which many programs save under the name ``.xls``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .archives import open_bytes
from .base import Batch, IsHeader, Note, Row, Source, batched
from .encodings import ENCODING, encoding_of
from .finish import check_width
from .headers import SEARCHED, find_header
from .readers import HEADER_ROW, source

_LARGEST = 1 << 26
_SPAN = 1000
_REMEDY = "Download the data itself; or open it in a spreadsheet and save it as xlsx or csv"


@source(".html", ".htm", options=[ENCODING, HEADER_ROW], finds_header=True)
def open_html(
    path: Path, is_header: IsHeader | None = None, encoding: str | None = None, header_row: str | None = None
) -> Source:
    """Open a web page: the one table in it that has the columns that are looked for, or the only one.

    Raises:
        UserError: it is larger than 64 MiB, or has no such table, or several.
    """
    found = encoding_of(path, encoding)
    notes = [Note("reading.encoding", {"encoding": found.found})] if found.found else []
    tables = [rows for rows in _tables(path, found.codec) if rows]
    if not tables:
        raise UserError(f"{path} is a web page without a table", _REMEDY)
    headers = [find_header(path, rows[:SEARCHED], header_row, is_header) for rows in tables]
    fitting = [place for place, (_, names, _) in enumerate(headers) if is_header is not None and is_header(names)]
    if len(tables) > 1 and len(fitting) != 1:
        raise UserError(f"{path} is a web page with {len(tables)} tables", _REMEDY)
    place = fitting[0] if fitting else 0
    start, header, said = headers[place]
    check_width(path, len(header))
    body = [(number, cells) for number, cells in tables[place] if number > start]

    def rows(places: Sequence[int]) -> Iterator[Row]:
        for number, cells in body:
            if any(cells[len(header) :]):
                raise UserError(
                    f"{path} row {number} has {len(cells)} cells where the header has {len(header)}", _REMEDY
                )
            yield number, [cells[each] if each < len(cells) else None for each in places]

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, header, len(body), batches, notes=[*notes, *said], has_header=True)
    return opened


def _tables(path: Path, codec: str) -> Iterator[list[tuple[int, list[str | None]]]]:
    """Rows of each table by number, a cell over several rows or columns repeated in each of them."""
    import lxml.html

    with open_bytes(path) as stream:
        raw = stream.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise UserError(f"{path} is a web page of more than {_LARGEST >> 20} MiB", _REMEDY)
    text = raw.decode(codec).replace("\0", "")
    try:
        page = lxml.html.document_fromstring(text.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (lxml.etree.LxmlError, AssertionError, ValueError):
        return
    for table in page.iter("table"):
        if table.find(".//table") is None:
            yield [(number, cells) for number, cells in enumerate(_rows(table), 1) if any(cells)]


def _rows(table: Any) -> Iterator[list[str | None]]:
    # By column: the text of a cell above, and for how many rows more it stands.
    below: dict[int, tuple[str, int]] = {}
    for row in table.iter("tr"):
        cells: list[str | None] = []
        for cell in row.iterchildren("td", "th"):
            _fill(cells, below)
            text = _text(cell)
            down = _span(cell, "rowspan")
            for _ in range(_span(cell, "colspan")):
                if down > 1:
                    below[len(cells)] = (text, down - 1)
                cells.append(text)
        _fill(cells, below)
        yield cells


def _fill(cells: list[str | None], below: dict[int, tuple[str, int]]) -> None:
    while len(cells) in below:
        place = len(cells)
        text, left = below.pop(place)
        cells.append(text)
        if left > 1:
            below[place] = (text, left - 1)


def _text(cell: Any) -> str:
    for line in cell.iter("br", "p"):
        line.tail = "\n" + (line.tail or "")
    lines = (" ".join(line.split()) for line in str(cell.text_content()).split("\n"))
    return "\n".join(line for line in lines if line)


def _span(cell: Any, name: str) -> int:
    given = cell.get(name, "1").strip()
    return min(max(int(given[:5]), 1), _SPAN) if given.isascii() and given.isdigit() else 1
