"""What every source is read as: batches of text columns with their row numbers."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from ..dataset import SeveritySource

BATCH_ROWS = 8192
Row = tuple[int, Sequence[Any]]
"""A row's number in the file (a header is row 1) and its cells."""
IsHeader = Callable[[Sequence[str]], bool]
"""Whether these names hold all that is looked for, such as a question and an answer."""


@dataclass(frozen=True)
class Batch:
    """Rows of the chosen columns: their numbers in the file, shape (n,), and a text array of length n each.

    ``nested`` has the cells that are lists or records, as they are: by the column's place, then by the row's place
    in the batch. The text array holds them as JSON.
    """

    numbers: npt.NDArray[np.int64]
    columns: list[pa.Array]
    nested: Mapping[int, Mapping[int, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """What a reader has to say of a source: the key of a sentence in ``messages.json``, and its values."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """An opened source.

    ``expected_rows`` is for the progress bar alone; ``batches`` reads the columns at the given positions. ``files``
    hold the data, where the path is a folder; ``parts`` are its splits, one read after the other. A source that is
    a dataset already has a ``language``, and somebody who decided its severities; ``labelling`` is what is said of
    that. ``notes`` say how it was read; those of what was counted while reading stand there once all was read.
    ``place`` names a row where path and number do not. ``has_header``: a row says what its columns are called.
    """

    path: Path
    columns: list[str]
    expected_rows: int | None
    batches: Callable[[Sequence[int]], Iterator[Batch]]
    files: tuple[Path, ...] = ()
    parts: Mapping[str, Source] = field(default_factory=dict)
    language: str | None = None
    severity_source: SeveritySource | None = None
    labelling: Mapping[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    place: Callable[[int], str] | None = None
    has_header: bool = False

    def where(self, number: int) -> str:
        """A row as errors name it."""
        return self.place(number) if self.place else f"{self.path} row {number}"


def joined(path: Path, parts: Mapping[str, Source], splits: bool = True, **facts: Any) -> Source:
    """Several sources as one, their rows numbered on. A column that a part lacks is empty there.

    Args:
        parts: by name; one that lacks all columns that are asked for must know how many rows it has.
        splits: whether the parts are splits with names of their own.
        facts: further fields of the source.
    """
    columns = list(dict.fromkeys(name for part in parts.values() for name in part.columns))
    # How many rows stand before each part that was begun.
    before: list[int] = []

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        names, last = [columns[place] for place in places], 0
        for position, part in enumerate(parts.values()):
            start = last
            before[position:] = [start]
            for batch in _of_part(part, names):
                numbers = batch.numbers + start
                last = int(numbers[-1]) if len(numbers) else last
                yield replace(batch, numbers=numbers)

    def place(number: int) -> str:
        position = bisect_left(before, number) - 1
        return list(parts.values())[position].where(number - before[position])

    files = tuple(file for part in parts.values() for file in part.files)
    given: dict[str, Any] = {"files": files, "parts": parts if splits else {}, "place": place} | facts
    known = [part.expected_rows for part in parts.values()]
    rows = None if None in known else sum(each or 0 for each in known)
    return Source(path, columns, rows, batches, **given)


def _of_part(part: Source, names: Sequence[str]) -> Iterator[Batch]:
    import numpy as np
    import pyarrow as pa

    there = [name for name in names if name in part.columns]
    rows = part.expected_rows or 0
    none = (
        Batch(np.arange(start + 1, min(start + BATCH_ROWS, rows) + 1, dtype=np.int64), [])
        for start in range(0, rows, BATCH_ROWS)
    )
    for batch in part.batches([part.columns.index(name) for name in there]) if there else none:
        found = dict(zip(there, batch.columns, strict=True))
        empty = pa.nulls(len(batch.numbers), pa.large_string())
        nested = {names.index(there[place]): cells for place, cells in batch.nested.items()}
        yield Batch(batch.numbers, [found.get(name, empty) for name in names], nested)


def as_text(value: Any) -> str | None:
    """A cell as text; NaN is an empty cell, a list or a record is JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def arrow_cells(column: pa.Array, name: str, start: int, path: Path) -> tuple[pa.Array, dict[int, Any]]:
    """A column of any type as text, and its cells that are lists or records by row; NaN is an empty cell.

    Args:
        name: the column's, and ``path`` the source's, for errors.
        start: number of the first row.

    Raises:
        UserError: a cell is no UTF-8, or of a kind that is no text.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        try:
            values = column.to_pylist()
        except UnicodeDecodeError:
            raise UserError(f"{path} column {name!r} is not UTF-8", "Correct the text") from None
        nested = {row: value for row, value in enumerate(values) if isinstance(value, list | dict)}
        return pa.array([as_text(value) for value in values], pa.large_string()), nested
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    try:
        text = column.cast(pa.large_string())
        text.validate(full=True)
    except pa.ArrowNotImplementedError:
        raise UserError(
            f"{path} column {name!r} holds {column.type} where text is expected", "Store plain text"
        ) from None
    except pa.ArrowInvalid:
        raw = column.cast(pa.large_binary()).to_pylist()
        row = next(row for row, value in enumerate(raw) if value is not None and not _is_utf8(value))
        raise UserError(f"{path} row {start + row} column {name!r} is not UTF-8", "Correct the text") from None
    return text, {}


def demand_names(path: Path, columns: Sequence[str]) -> None:
    """Look whether each column has a name of its own, by which arrow's forms are read.

    Raises:
        UserError: two have the same.
    """
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise UserError(f"{path} has two columns {twice[0]!r}", "Rename one of them")


def arrow_batch(columns: Mapping[str, pa.Array], start: int, path: Path) -> Batch:
    """Columns of arrow by name as a batch; see ``arrow_cells``. ``start`` is the number of the first row."""
    import numpy as np

    cells = [arrow_cells(column, name, start, path) for name, column in columns.items()]
    rows = len(cells[0][0]) if cells else 0
    nested = {place: found for place, (_, found) in enumerate(cells) if found}
    return Batch(np.arange(start, start + rows, dtype=np.int64), [text for text, _ in cells], nested)


def batched(rows: Iterable[Row], width: int, where: Callable[[int], str]) -> Iterator[Batch]:
    """Gather rows of ``width`` cells of any kind into batches.

    Raises:
        UserError: a cell holds half a surrogate pair, which no file can store.
    """
    import numpy as np
    import pyarrow as pa

    stream = iter(rows)
    while chunk := list(islice(stream, BATCH_ROWS)):
        numbers = np.array([number for number, _ in chunk], dtype=np.int64)
        columns, nested = [], {}
        for place in range(width):
            cells = [values[place] for _, values in chunk]
            if found := {row: cell for row, cell in enumerate(cells) if isinstance(cell, list | dict)}:
                nested[place] = found
            texts = [as_text(cell) for cell in cells]
            try:
                columns.append(pa.array(texts, pa.large_string()))
            except UnicodeEncodeError:
                bad = next(number for number, text in zip(numbers, texts, strict=True) if _broken(text))
                raise UserError(f"{where(int(bad))} holds broken Unicode", "Correct the text of the row") from None
        yield Batch(numbers, columns, nested)


def listed(names: Sequence[str]) -> str:
    """Names of sheets or tables in an error."""
    return ", ".join(repr(name) for name in names) or "none"


def _broken(cell: str | None) -> bool:
    return cell is not None and any("\ud800" <= character <= "\udfff" for character in cell)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
