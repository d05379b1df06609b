"""Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...core.errors import UserError
from .base import BATCH_ROWS, Batch, Source, arrow_text
from .readers import source


@source(".parquet")
def open_parquet(path: Path) -> Source:
    """Open a parquet file; numbers become text.

    Raises:
        UserError: it is no parquet; while reading, a column holds lists or records, or a cell is no UTF-8.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns, expected = list(file.schema_arrow.names), file.metadata.num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a readable parquet file: {error}", "Write the file again") from error

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        names = [columns[place] for place in places]
        start = 1
        with pq.ParquetFile(path) as file:
            try:
                for batch in file.iter_batches(BATCH_ROWS, columns=names):
                    texts = [arrow_text(batch.column(name), name, start, path) for name in names]
                    yield Batch(np.arange(start, start + len(batch), dtype=np.int64), texts)
                    start += len(batch)
            except (OSError, pa.ArrowException) as error:
                raise UserError(
                    f"{path} cannot be read past row {start}: {error}", "Write the file again"
                ) from error

    return Source(path, columns, expected, batches)
