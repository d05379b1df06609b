"""``generation.parquet``: every answer of a run, all samples, how it ended, and with several samples its scores."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..core.files import atomic
from ..generation.finish import COLUMNS, ENDINGS
from ..metrics.base import Metric
from ..metrics.scoring import score
from .answers import answers_to
from .run import Saved
from .samples import GENERATION, read_generation

KEYS = [*COLUMNS, *ENDINGS, "prediction"]
"""Columns besides the scores; files of earlier versions lack ``ENDINGS``."""


def write_generation(saved: Saved, frame: pd.DataFrame, metrics: Sequence[Metric]) -> None:
    """Write the file; where there are several samples per question, with one column per metric.

    Args:
        saved: the run, which knows the references.
        frame: the columns ``KEYS``.
        metrics: score every sample.

    Raises:
        UserError: a metric cannot be computed, or the file cannot be written.
    """
    if frame["sample"].any():
        rows = saved.answers.set_index("id").loc[frame["id"]]
        frame = frame.assign(**score(answers_to(rows, frame["prediction"].tolist()), metrics))
    with atomic(saved.path / GENERATION) as temporary:
        frame.to_parquet(temporary, index=False)


def rescore_samples(saved: Saved, metrics: Sequence[Metric]) -> None:
    """New scores for every sample of a run that has several.

    Raises:
        UserError: as ``write_generation`` and ``read_generation``.
    """
    frame = read_generation(saved.path)
    if frame is not None and frame["sample"].any():
        write_generation(saved, frame[[name for name in KEYS if name in frame]], metrics)
