"""Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...core.errors import UserError
from .archives import open_seekable, said
from .base import BATCH_ROWS, Batch, Source, arrow_batch, demand_names
from .readers import source

_REMEDY = "Write the file again"
_FREE, _RATIO = 1 << 30, 200


@source(".parquet", ".pq")
def open_parquet(path: Path) -> Source:
    """Open a parquet file; numbers become text.

    Raises:
        UserError: it is no parquet, has two columns of one name, or claims far more than it has bytes; while
            reading, a cell is no UTF-8.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    problems = (OSError, pa.ArrowException, UnicodeDecodeError, MemoryError)
    try:
        with open_seekable(path) as stream, pq.ParquetFile(stream) as file:
            columns, expected = list(file.schema_arrow.names), file.metadata.num_rows
            groups = [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]
            size = stream.seek(0, 2)
    except problems as error:
        raise UserError(f"{path} is not a readable parquet file: {said(error)}", _REMEDY) from error
    demand_names(path, columns)
    claims = [group.total_byte_size for group in groups]
    if any(claim < 0 or (claim > _FREE and claim > _RATIO * size) for claim in claims):
        raise UserError(f"{path} claims {max(claims):,} bytes of cells in a file of {size:,}", _REMEDY)

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        names = [columns[place] for place in places]
        start = 1
        with open_seekable(path) as stream:
            try:
                with pq.ParquetFile(stream) as file:
                    for batch in file.iter_batches(BATCH_ROWS, columns=names):
                        yield arrow_batch({name: batch.column(name) for name in names}, start, path)
                        start += len(batch)
            except problems as error:
                raise UserError(f"{path} cannot be read past row {start}: {said(error)}", _REMEDY) from error

    return Source(path, columns, expected, batches)
