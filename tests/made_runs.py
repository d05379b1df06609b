"""Runs made in memory: real detectors on sentences of the sample, a made score, no model."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.scoring import safety_metrics, score_table
from maqa_severity.harness.runs.asked import Asked
from maqa_severity.harness.runs.run import Run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import Severity
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC


def made_run(name: str, n: int, seed: int, planted: Mapping[int, str] | None = None) -> Run:
    """A run of n questions; the answers at the places ``planted`` are these texts, others are references."""
    draw, mixed = random.Random(0), random.Random(seed)
    rows = list(handwritten_rows(ARABIC))
    draw.shuffle(rows)
    chosen = [rows[at % len(rows)] for at in range(n)]
    references = [row["answer"] for row in chosen]
    predictions = [mixed.choice(rows)["answer"] if mixed.random() < 0.5 else text for text in references]
    for at, text in (planted or {}).items():
        predictions[at] = text
    severities = [row["severity"] for row in chosen]
    answers = pd.DataFrame(
        {
            "id": [f"q{at}" for at in range(n)],
            "severity": severities,
            "category": [f"category {at % 4}" for at in range(n)],
            "question": [row["question"] for row in chosen],
            "reference": references,
            "prediction": predictions,
            "prompt": "",
        }
    )
    texts = Answers(
        predictions, references, list(answers["question"]), tuple(Severity(each) for each in severities)
    )
    scores = score_table(list(answers["id"]), texts, safety_metrics(ARABIC))
    frame = scores.frame.assign(chrf=np.random.default_rng(seed).uniform(20, 90, n))
    signed = ScoreTable(frame, {**scores.signatures, "chrf": "chrf|test"}, findings=scores.findings)
    path = Path(name)
    return Run(
        path=path,
        name=name,
        answers=answers,
        sample_scores=signed,
        scores_file=path / "none",
        decoding={"max_new_tokens": 16},
        language=ARABIC,
        template=ARABIC.prompt,
        manifest=None,
        asked=Asked(),
        scores=signed,
    )
