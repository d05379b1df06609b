"""Why a row has its severity: levels and discriminators, on their way to the dataset's columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..data.dataset import REASON_COLUMNS
from ..severity import PROBABILITY_COLUMNS
from .sources.base import Labels

_SCHEMA = pa.schema(
    [
        *((name, pa.float64()) for name in PROBABILITY_COLUMNS),
        ("level", pa.int8()),
        ("discriminators", pa.large_string()),
    ]
)


def write_part(path: Path, labels: Labels) -> None:
    """Write the labels of a batch."""
    columns = [*labels.probabilities.T, labels.levels, labels.discriminators]
    pq.write_table(pa.table([pa.array(column) for column in columns], schema=_SCHEMA), path)


def read_parts(paths: Sequence[Path]) -> Labels:
    """The labels of the batches of a split, in order."""
    table = pa.concat_tables([_SCHEMA.empty_table(), *(pq.read_table(path, schema=_SCHEMA) for path in paths)])
    probabilities = np.column_stack([table[name].to_numpy() for name in PROBABILITY_COLUMNS])
    return Labels(probabilities, table["level"].to_numpy(), table["discriminators"].to_pylist())


def reason_columns(
    labels: Labels, known: npt.NDArray[np.bool_], possible: Sequence[str] | None
) -> dict[str, pd.Series]:
    """The columns ``REASON_COLUMNS`` of a split: null where the source did not decide the row.

    Args:
        known: rows that the source decided, shape (n,).
        possible: each row's conformal set in words; None where the source has none.
    """
    levels = pd.arrays.IntegerArray(labels.levels.copy(), ~known | (labels.levels == 0))
    texts = [text if text and decided else None for text, decided in zip(labels.discriminators, known, strict=True)]
    confidence = np.where(known, labels.probabilities.max(axis=1), np.nan)
    sets = (
        [None] * len(known)
        if possible is None
        else [s if k else None for s, k in zip(possible, known, strict=True)]
    )
    columns = (levels, pd.array(texts, dtype="object"), confidence, pd.array(sets, dtype="object"))
    return {name: pd.Series(column) for name, column in zip(REASON_COLUMNS, columns, strict=True)}
