"""How the tasks are scored: all answers of a task in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..harness.data.dataset import REFERENCES
from ..harness.languages import language
from ..harness.metrics.base import Answers
from ..harness.metrics.scoring import default_metrics, score
from ..harness.severity import parse_severity


class ScoredText(str):
    """An answer that carries its scores to ``process_results``."""

    scores: dict[str, float]


def score_batch(responses: Sequence[Sequence[str]], documents: Sequence[dict[str, Any]]) -> list[ScoredText]:
    """Score the first response of each document, all in one batch."""
    answers = Answers(
        predictions=[response[0] for response in responses],
        references=[document["answer"] for document in documents],
        questions=[document["question"] for document in documents],
        severities=[parse_severity(document["severity"]) for document in documents],
        all_references=[document.get(REFERENCES) for document in documents],
    )
    first = documents[0]
    scoring = first["scoring"]
    encoder = (scoring["encoder"], scoring["layer"], scoring.get("window", False))
    columns = score(answers, default_metrics(language(first["language"]), *encoder, scoring.get("references")))
    texts = [ScoredText(prediction) for prediction in answers.predictions]
    for row, text in enumerate(texts):
        text.scores = {name: float(values[row]) for name, values in columns.items()}
    return texts


def process_results(document: dict[str, Any], results: Sequence[ScoredText]) -> dict[str, float]:
    """The scores that ``score_batch`` attached to this document's answer."""
    return dict(results[0].scores)
