"""What every source file is read as: batches of text columns with their row numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import UserError

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
    """An opened source file.

    ``expected_rows`` is for the progress bar alone; ``batches`` reads the columns at the given positions.
    """

    path: Path
    columns: list[str]
    expected_rows: int | None
    batches: Callable[[Sequence[int]], Iterator[Batch]]

    def where(self, number: int) -> str:
        """A row as errors name it."""
        return f"{self.path} row {number}"


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


def batched(rows: Iterable[Row], width: int, where: Callable[[int], str]) -> Iterator[Batch]:
    """Gather rows of ``width`` cells into batches.

    Raises:
        UserError: a cell holds half a surrogate pair, which no file can store.
    """
    stream = iter(rows)
    while chunk := list(islice(stream, BATCH_ROWS)):
        numbers = np.array([number for number, _ in chunk], dtype=np.int64)
        try:
            columns = [pa.array([cells[place] for _, cells in chunk], pa.large_string()) for place in range(width)]
        except UnicodeEncodeError:
            bad = next(number for number, cells in chunk if any(_broken(cell) for cell in cells))
            raise UserError(f"{where(bad)} holds broken Unicode", "Correct the text of the row") from None
        yield Batch(numbers, columns)


def _broken(cell: str | None) -> bool:
    return cell is not None and any("\ud800" <= character <= "\udfff" for character in cell)
