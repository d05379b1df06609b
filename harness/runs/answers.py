"""Answers of a run in the form that metrics take."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..core.files import sha256_text
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


def fingerprint(answers: pd.DataFrame) -> str:
    """Digest of the rows that were asked: ids, questions, references and severities, whatever their order."""
    columns = ["id", "severity", "question", "reference"]
    return sha256_text(answers[columns].sort_values("id").to_json(orient="records", force_ascii=False))
