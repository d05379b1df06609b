"""Cells with a delimiter between them: csv, tsv and their kin."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from ...core.errors import UserError
from .archives import bare_name, open_bytes
from .base import Batch, IsHeader, Note, Row, Source, batched
from .encodings import ENCODING, encoding_of
from .finish import check_width
from .headers import SEARCHED, find_header, header_row, names_of
from .readers import HEADER_ROW, Option, source

_DELIMITERS = (",", ";", "\t", "|", "\u061b", "\u060c")
_NAMED = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}
_FIELD, _CHUNK = 1 << 24, 1 << 20
DELIMITER = Option(
    "delimiter", "What stands between the cells of a text file, such as ';' or tab.", among="delimiters"
)
_OPTIONS = [ENCODING, DELIMITER, HEADER_ROW]
_USUAL = {".tsv": "\t", ".tab": "\t", ".psv": "|"}


@source(".csv", options=_OPTIONS, finds_header=True)
def open_csv(path: Path, is_header: IsHeader | None = None, **options: str) -> Source:
    """Open a csv file; see ``open_delimited``."""
    return open_delimited(path, is_header, **options)


@source(".tsv", ".tab", options=_OPTIONS, finds_header=True)
def open_tsv(path: Path, is_header: IsHeader | None = None, **options: str) -> Source:
    """Open a tsv file; see ``open_delimited``."""
    return open_delimited(path, is_header, **options)


@source(".txt", ".psv", options=_OPTIONS, finds_header=True)
def open_text(path: Path, is_header: IsHeader | None = None, **options: str) -> Source:
    """Open a text file with a delimiter; see ``open_delimited``."""
    return open_delimited(path, is_header, **options)


def open_delimited(
    path: Path,
    is_header: IsHeader | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: str | None = None,
) -> Source:
    """Open a text file with a header; blank lines are no rows, and empty cells past the header are none.

    Without a delimiter that is the one of the line ``sep=``, or the one that leads to the columns that are looked
    for, or the ending's own, if it cuts the header, or the only one that does.

    Raises:
        UserError: the file is in no known encoding, has no header, or several delimiters fit; while reading, a row
            has more or fewer cells than the header or its quotes do not match.
    """
    found = encoding_of(path, encoding)
    notes = [Note("reading.encoding", {"encoding": found.found})] if found.found else []
    text = _Text(path, found.codec)
    if text.quote == "'":
        notes.append(Note("reading.single_quotes"))
    mark = _delimiter(text, delimiter, is_header, header_row, notes)
    if _is_escaped(text, mark):
        text.escape = "\\"
        notes.append(Note("reading.backslash"))
    first = _first(text, mark)
    if not first:
        raise UserError(f"{path} is empty", "Give a file with a header and rows")
    start, header, said = find_header(path, first, header_row, is_header)
    notes += said

    def rows(places: Sequence[int]) -> Iterator[Row]:
        for number, cells in text.records(mark):
            if number <= start:
                continue
            if len(cells) < len(header) or any(cells[len(header) :]):
                raise UserError(
                    f"{path} row {number} has {len(cells)} cells where the header has {len(header)}",
                    "Quote cells that hold the delimiter or a line break",
                )
            yield number, [cells[place] for place in places]

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, header, found.lines - start, batches, notes=notes, has_header=True)
    return opened


class _Text:
    """A text file as records; a first line ``sep=;`` is none of them."""

    def __init__(self, path: Path, codec: str) -> None:
        self.path, self._codec = path, codec
        with self._stream() as stream:
            head = stream.readline(_FIELD).strip("\ufeff\r\n ")
        line = head[:16].strip("\"'")
        self.said = line[4:5] if line.lower().startswith("sep=") and len(line) <= 5 else None
        self._skip = self.said is not None
        if self._skip and not self.said:
            self.said = "\t"
        # Names of columns do not begin and end with an apostrophe, unless it quotes them.
        self.quote = "'" if re.fullmatch(r"'[^'\"]*'(.'[^'\"]*')+", head) else '"'
        self.escape: str | None = None

    def holds(self, what: str) -> bool:
        """Whether the text holds two characters one after the other."""
        with self._stream() as stream:
            last = ""
            while chunk := stream.read(_CHUNK):
                if what in last + chunk:
                    return True
                last = chunk[-1:]
        return False

    def _stream(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(open_bytes(self.path), encoding=self._codec, newline="")

    def records(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Numbers and cells of the records that are not blank.

        Raises:
            UserError: quotes do not match.
        """
        csv.field_size_limit(_FIELD)
        with self._stream() as stream:
            if self._skip:
                stream.readline()
            # Strict: the lenient reader would quietly drop quotes out of a cell.
            reader = csv.reader(
                stream,
                delimiter=delimiter,
                strict=True,
                quotechar=self.quote,
                escapechar=self.escape,
                doublequote=self.escape is None,
            )
            number, line = int(self._skip), 0
            try:
                for number, cells in enumerate(reader, start=1 + self._skip):
                    line = reader.line_num
                    if cells:
                        yield number, cells
            except csv.Error as error:
                raise self._unreadable(error, number + 1, line + 1 + self._skip) from error

    def _unreadable(self, error: csv.Error, number: int, line: int) -> UserError:
        where = f"{self.path} row {number} (line {line})"
        if "unexpected end of data" in str(error) or "field limit" in str(error):
            return UserError(
                f"{where} is not readable: a quote is opened in this row and never closed",
                'Close it, double quotes that belong to the text (""), or give the file as jsonl',
            )
        return UserError(
            f"{where} is not readable: {error}",
            'Put cells with quotes in quotes and double the inner ones (""), or give the file as jsonl',
        )


def _is_escaped(text: _Text, mark: str) -> bool:
    """Whether quotes in cells are written as a backslash and a quote: so the file is readable, and else not."""
    if not text.holds("\\" + text.quote) or _reads(text, mark):
        return False
    text.escape = "\\"
    escaped = _reads(text, mark)
    text.escape = None
    return escaped


def _reads(text: _Text, mark: str) -> bool:
    try:
        return len({len(cells) for _, cells in text.records(mark)}) == 1
    except UserError:
        return False


def _first(text: _Text, mark: str) -> list[tuple[int, list[str]]]:
    rows = list(islice(text.records(mark), SEARCHED))
    check_width(text.path, max((len(cells) for _, cells in rows), default=0))
    return rows


def _delimiter(
    text: _Text, given: str | None, is_header: IsHeader | None, row: str | None, notes: list[Note]
) -> str:
    if given is not None:
        mark = _NAMED.get(given.strip().lower(), given)
        if len(mark) != 1 or mark in '"\r\n':
            raise UserError(f"--delimiter {given!r} is no delimiter", "Give one character, or tab")
        return mark
    if text.said is not None:
        notes.append(Note("reading.sep_line", {"delimiter": shown(text.said)}))
        return text.said
    ending = Path(bare_name(text.path)).suffix
    usual = _USUAL.get(ending, ",")
    marks = [usual, *(mark for mark in _DELIMITERS if mark != usual)]
    heads = {mark: cells for mark in marks if (cells := _head(text, mark)) is not None}
    if is_header is not None and row is None:
        fitting = [mark for mark in heads if any(is_header(names_of(cells)) for _, cells in heads[mark])]
        if fitting:
            return _noted(fitting[0], usual, notes)
    if usual not in heads or not heads[usual]:
        return usual
    at = 0 if row is None else header_row(row)
    cut = [mark for mark in heads if _width(heads[mark], at) > 1]
    if usual in cut or not cut:
        return usual
    even = [mark for mark in cut if len({len(cells) for number, cells in heads[mark] if number >= at}) == 1]
    if len(even) != 1 and len(cut) != 1:
        remedy = f"Name it with --delimiter: it may be {' or '.join(map(shown, even or cut))}"
        raise UserError(f"{text.path} does not show what stands between its cells", remedy)
    return _noted((even if len(even) == 1 else cut)[0], usual, notes)


def _noted(mark: str, usual: str, notes: list[Note]) -> str:
    if mark != usual:
        notes.append(Note("reading.delimiter", {"delimiter": shown(mark)}))
    return mark


def _head(text: _Text, mark: str) -> list[tuple[int, list[str]]] | None:
    try:
        return _first(text, mark)
    except UserError:
        return None


def _width(rows: Sequence[tuple[int, list[str]]], at: int) -> int:
    return next((len(cells) for number, cells in rows if number >= at), 0)


def shown(mark: str) -> str:
    """A delimiter in a sentence."""
    return "tab" if mark == "\t" else repr(mark)
