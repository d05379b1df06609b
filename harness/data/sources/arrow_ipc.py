"""Feather and other files of arrow's own form, with a footer or as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .archives import open_seekable, said
from .base import BATCH_ROWS, Batch, Source, arrow_batch, demand_names
from .readers import source


@source(".feather", ".arrow", ".ipc")
def open_arrow(path: Path) -> Source:
    """Open a feather or arrow file; numbers become text.

    Raises:
        UserError: it is neither, or has two columns of one name; while reading, a cell is no UTF-8.
    """
    import pyarrow as pa

    problems = (OSError, pa.ArrowException, UnicodeDecodeError, MemoryError)
    remedy = "Write the file again"
    try:
        with _tables(path) as (columns, _):
            pass
    except problems as error:
        raise UserError(f"{path} is not a readable arrow file: {said(error)}", remedy) from error
    demand_names(path, columns)

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        start = 1
        try:
            with _tables(path) as (_, tables):
                for whole in tables:
                    whole.validate(full=True)
                    for offset in range(0, len(whole), BATCH_ROWS):
                        part = whole.slice(offset, BATCH_ROWS)
                        cells = {columns[place]: part.column(place) for place in places}
                        yield arrow_batch(cells, start, path)
                        start += len(part)
        except problems as error:
            raise UserError(f"{path} cannot be read past row {start}: {said(error)}", remedy) from error

    return Source(path, columns, None, batches)


@contextmanager
def _tables(path: Path) -> Iterator[tuple[list[str], Iterator[Any]]]:
    """Names of the columns, and the record batches."""
    import pyarrow as pa
    import pyarrow.feather as feather

    with open_seekable(path) as stream:
        head = stream.read(6)
        stream.seek(0)
        if head.startswith(b"FEA1"):
            table = feather.read_table(stream)
            yield list(table.column_names), iter(table.to_batches())
        elif head.startswith(b"ARROW1"):
            file = pa.ipc.open_file(stream)
            yield list(file.schema.names), (file.get_batch(place) for place in range(file.num_record_batches))
        else:
            reader = pa.ipc.open_stream(stream)
            yield list(reader.schema.names), iter(reader)
