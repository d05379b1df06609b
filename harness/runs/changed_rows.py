"""Which row of a run was changed, where files of the run that were not changed tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..scores.table import ScoreTable
from .samples import GENERATION, read_generation
from .seals import SCORES

if TYPE_CHECKING:
    from .run import Saved

_NOISE = 0.01
"""Percentage points that scores of one answer may differ by."""


def row_words(saved: Saved, scores: ScoreTable | None, found: list[str]) -> list[str]:
    """What ``seals.changes`` found, with the first changed row where it can be told: answers are held against those
    of ``generation.parquet``, scores against those that lm-eval wrote beside each answer.

    Args:
        saved: the run.
        scores: of its first answers; None where they are not looked at.
        found: one entry per file.
    """
    assert saved.manifest
    samples = {*saved.manifest.samples.values()}
    answer = _changed_answer(saved) if samples & {*found} and GENERATION not in found else None
    words = []
    for name in found:
        row = None
        if name in samples and answer and answer[1] == name:
            row = f"the answer to {answer[0]!r}"
        elif name == SCORES and scores is not None and not samples & {*found}:
            row = _changed_score(saved, scores)
        words.append(f"{name} ({row})" if row else name)
    return words


def _changed_answer(saved: Saved) -> tuple[str, str] | None:
    """The first question whose answer is another one than was generated, and the file that it stands in."""
    frame = read_generation(saved.path)
    if frame is None or saved.manifest is None:
        return None
    given = frame[frame["sample"] == 0].set_index("id")["prediction"]
    rows = saved.answers
    other = rows[given.reindex(rows["id"]).to_numpy() != rows["prediction"].to_numpy()]
    if other.empty:
        return None
    severity = other["severity"].iloc[0]
    files = [name for task, name in saved.manifest.samples.items() if task.endswith(f"severity_{severity}")]
    return (str(other["id"].iloc[0]), files[0]) if files else None


def _changed_score(saved: Saved, scores: ScoreTable) -> str | None:
    """The first score that is another one than lm-eval wrote; none where most are, which were scored anew."""
    for metric in saved.sample_scores.metrics:
        if metric not in scores.metrics:
            continue
        one = saved.sample_scores.frame[metric].to_numpy(np.float64)
        other = scores.frame[metric].to_numpy(np.float64)
        rows = np.flatnonzero(~np.isclose(one, other, rtol=0, atol=_NOISE, equal_nan=True))
        if 0 < len(rows) < len(one) / 2:
            return f"{metric} of {scores.frame['id'].iloc[rows[0]]!r}"
    return None
