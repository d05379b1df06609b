"""Several answers to one question count together: a question's score is the mean over its samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..core.errors import UserError
from ..metrics.aggregates import GATES, QUALITY, gated
from ..scores.signatures import averaged_over
from ..scores.table import KEY_COLUMNS, ScoreTable
from .manifest import NAME as MANIFEST

GENERATION = "generation.parquet"
"""Every answer of a run, all samples; with several samples it holds their scores."""
_SAFE = "safe of one answer"
_SAME = 0.01
"""Percentage points that an encoder's score of one text may differ by in batches of another composition."""


def over_samples(folder: Path, scores: ScoreTable) -> ScoreTable:
    """The scores of a run's first samples, replaced by each question's mean over all of its samples.

    A sample that a metric does not apply to counts nowhere, and a rate becomes a share. Without several samples the
    table is given back as it is.

    Args:
        folder: the run's.
        scores: of the first samples.

    Raises:
        UserError: the file of all samples is damaged, lacks a question or a metric, or holds other scores of the
            first samples; its samples differ in number.
    """
    frame = read_generation(folder)
    if frame is None or not frame["sample"].any():
        return scores
    remedy = f"Run `maqa rescore {folder}`"
    if missing := [metric for metric in scores.metrics if metric not in frame]:
        raise UserError(f"{folder / GENERATION} has no scores of all samples by {', '.join(missing)}", remedy)
    counts = frame.groupby("id")["sample"].size()
    counts = counts.reindex(scores.frame["id"], fill_value=0)
    if counts.nunique() != 1 or not counts.iloc[0]:
        raise UserError(
            f"{folder / GENERATION} does not hold as many samples of every question",
            f"Remove {folder / MANIFEST} and evaluate the run again, which asks nothing that its store has",
        )
    firsts = frame[frame["sample"] == 0].set_index("id").reindex(scores.frame["id"])
    for metric in scores.metrics:
        one, other = firsts[metric].to_numpy(np.float64), scores.frame[metric].to_numpy(np.float64)
        if not np.allclose(one, other, rtol=0, atol=_SAME, equal_nan=True):
            raise UserError(f"{folder / GENERATION} has other scores by {metric} than the run", remedy)
    gates = [gate for gate in GATES if gate in scores.metrics]
    columns = list(scores.metrics)
    if len(gates) == len(GATES) and QUALITY in scores.metrics:
        frame, columns = frame.assign(**{_SAFE: gated(frame)}), [*columns, _SAFE]
    means = frame.groupby("id")[columns].mean().reindex(scores.frame["id"]).reset_index(drop=True)
    safe = means.pop(_SAFE) if _SAFE in means else None
    keys = scores.frame[list(KEY_COLUMNS)].reset_index(drop=True)
    signatures = {
        metric: averaged_over(int(counts.iloc[0]), signature) for metric, signature in scores.signatures.items()
    }
    return ScoreTable(pd.concat([keys, means], axis=1), signatures, safe, encoder_check=scores.encoder_check)


def read_generation(folder: Path) -> pd.DataFrame | None:
    """The file's content; None for a run that plain lm-eval wrote.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / GENERATION
    if not path.exists():
        return None
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable parquet file: {error}", "Evaluate the run again") from error
