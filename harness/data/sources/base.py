"""What every source is read as: batches of text columns with their row numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
Row = tuple[int, Sequence[str | None]]
"""A row's number in the file (a header is row 1) and its cells."""


@dataclass(frozen=True)
class Batch:
    """Rows of the chosen columns: their numbers in the file, shape (n,), and a text array of length n each."""

    numbers: npt.NDArray[np.int64]
    columns: list[pa.Array]


@dataclass(frozen=True)
class Source:
    """An opened source.

    ``expected_rows`` is for the progress bar alone; ``batches`` reads the columns at the given positions. ``files``
    hold the data, where the path is a folder; ``parts`` are its splits, one read after the other. A source that is
    a dataset already has a ``language``, and somebody who decided its severities; ``labelling`` is what is said of
    that.
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

    def where(self, number: int) -> str:
        """A row as errors name it."""
        for part in self.parts.values():
            if number <= (part.expected_rows or 0):
                return part.where(number)
            number -= part.expected_rows or 0
        return f"{self.path} row {number}"


def joined(path: Path, parts: Mapping[str, Source], **facts: Any) -> Source:
    """Several sources as one, their rows numbered on. A column that a part lacks is empty there.

    Args:
        parts: by name; each knows how many rows it has and numbers them from 1.
        facts: further fields of the source.
    """
    columns = list(dict.fromkeys(name for part in parts.values() for name in part.columns))

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        names, before = [columns[place] for place in places], 0
        for part in parts.values():
            for batch in _of_part(part, names):
                yield Batch(batch.numbers + before, batch.columns)
            before += part.expected_rows or 0

    files = tuple(file for part in parts.values() for file in part.files)
    rows = sum(part.expected_rows or 0 for part in parts.values())
    return Source(path, columns, rows, batches, files, parts, **facts)


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
        yield Batch(batch.numbers, [found.get(name, empty) for name in names])


def as_text(value: Any, where: str) -> str | None:
    """A cell as text; NaN is an empty cell.

    Raises:
        UserError: the cell holds a list or an object.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, list | dict):
        raise UserError(
            f"{where} holds {type(value).__name__} where text is expected", "Store plain text in the column"
        )
    return str(value)


def arrow_text(column: pa.Array, name: str, start: int, path: Path) -> pa.Array:
    """A column of any type as text; NaN is an empty cell.

    Args:
        name: the column's, and ``path`` the source's, for errors.
        start: number of the first row.

    Raises:
        UserError: it holds lists or records, or a cell is no UTF-8.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

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
    return text


def batched(rows: Iterable[Row], width: int, where: Callable[[int], str]) -> Iterator[Batch]:
    """Gather rows of ``width`` cells into batches.

    Raises:
        UserError: a cell holds half a surrogate pair, which no file can store.
    """
    import numpy as np
    import pyarrow as pa

    stream = iter(rows)
    while chunk := list(islice(stream, BATCH_ROWS)):
        numbers = np.array([number for number, _ in chunk], dtype=np.int64)
        try:
            columns = [pa.array([cells[place] for _, cells in chunk], pa.large_string()) for place in range(width)]
        except UnicodeEncodeError:
            bad = next(number for number, cells in chunk if any(_broken(cell) for cell in cells))
            raise UserError(f"{where(bad)} holds broken Unicode", "Correct the text of the row") from None
        yield Batch(numbers, columns)


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
