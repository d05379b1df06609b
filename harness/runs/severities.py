"""``severity.parquet``: how sure the severity of every row of a run is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..core.errors import UserError
from ..core.files import atomic
from ..data.dataset import Dataset
from ..severity import PROBABILITY_COLUMNS

NAME = "severity.parquet"
COLUMNS = ["id", "severity", *PROBABILITY_COLUMNS]


def write_severities(folder: Path, dataset: Dataset, ids: Sequence[str]) -> None:
    """Write the file for the rows asked, in their order; not where no row has probabilities.

    Raises:
        UserError: the dataset's rows cannot be read, or the file cannot be written.
    """
    frame = dataset.split("test")[COLUMNS].set_index("id").loc[list(ids)].reset_index()
    if frame[list(PROBABILITY_COLUMNS)].isna().all(axis=None):
        return
    with atomic(folder / NAME) as temporary:
        frame.to_parquet(temporary, index=False)


def read_severities(folder: Path) -> pd.DataFrame | None:
    """The columns ``COLUMNS``; None for a run of an earlier version, of the shipped sample or of plain lm-eval.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable parquet file: {error}", "Evaluate the run again") from error
    if list(frame.columns) != COLUMNS:
        raise UserError(f"{path} has the columns {', '.join(map(str, frame.columns))}", "Evaluate the run again")
    return frame
