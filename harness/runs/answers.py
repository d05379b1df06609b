"""Answers of a run in the form that metrics take."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..data.dataset import REFERENCES
from ..metrics.base import Answers
from ..severity import parse_severity


def answers_to(rows: pd.DataFrame, predictions: Sequence[str]) -> Answers:
    """Predictions to the questions of rows of ``Saved.answers``, in their order."""
    return Answers(
        predictions=list(predictions),
        references=rows["reference"].tolist(),
        questions=rows["question"].tolist(),
        severities=[parse_severity(severity) for severity in rows["severity"]],
        all_references=rows[REFERENCES].tolist() if REFERENCES in rows else None,
    )
