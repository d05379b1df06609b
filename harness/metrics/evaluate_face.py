"""The scores per severity as an ``evaluate`` metric, made without ``evaluate.load`` and so without a network.

from maqa_severity.harness.metrics.evaluate_face import SeverityScores
SeverityScores().compute(predictions=answers, references=references, severities=severities)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import datasets
import evaluate

from ..core.errors import UserError
from ..languages import DEFAULT
from ..languages import language as language_of
from ..severity import Severity, parse_severity
from ..statistics import STRATA, USUAL, Resampling, summarise
from .base import Answers
from .bertscore.encoder import NO_ENCODER
from .scoring import default_metrics, score_table

_CITATION = "arXiv 2604.06346 (severity-aware weighted loss); arXiv 2604.06365 (severity curriculum)"
_INPUTS = """
Args:
    predictions: answers of the model.
    references: the doctor's answer to each question, or the list of them where questions have several.
    severities: critical, neutral or non_critical of each question, in any known spelling.
Returns:
    For each severity and ``overall``, each metric's ``n``, ``mean``, ``low``, ``high`` (percent) and ``method``;
    and each metric's signature under ``signatures``.
Raises:
    UserError: a prediction is missing (an empty answer is an empty string), a reference is missing or empty, or a
        severity is unknown; rows are counted from 1.
"""


class SeverityScores(evaluate.Metric):  # type: ignore[misc]
    """Every metric's mean with its 95 % interval, per severity and overall.

    Args:
        bertscore_model: hub id or folder of the BERTScore encoder; by default BERTScore is left out, since its
            encoder may have to be downloaded.
        bertscore_layer: layer of the encoder, where it is not known.
        bertscore_window: whether texts beyond the encoder's maximum are read in windows.
        references: ``first``, ``best`` or ``mean``: what counts of several references.
        language: the code of the answers' language.
        resampling: of the intervals.
        options: those of ``evaluate.Metric``.
    """

    def __init__(
        self,
        bertscore_model: str = NO_ENCODER,
        language: str = DEFAULT,
        resampling: Resampling = USUAL,
        bertscore_layer: int | None = None,
        bertscore_window: bool | None = None,
        references: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        encoder = (bertscore_model, bertscore_layer, bertscore_window)
        self.metrics = default_metrics(language_of(language), *encoder, references)
        self.resampling = resampling

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="Text similarity of medical answers per clinical severity, with intervals.",
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=[
                datasets.Features({"predictions": text, "references": references, "severities": text})
                for references in (text, datasets.Sequence(text))
            ],
        )

    def _compute(
        self, predictions: Sequence[str], references: Sequence[str | list[str]], severities: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        every = [_given(listed) for listed in references]
        for row, (prediction, listed) in enumerate(zip(predictions, every, strict=True), start=1):
            if prediction is None or not listed:
                raise UserError(
                    f"row {row} has no {'prediction' if prediction is None else 'reference'}",
                    "Fill it in (an empty answer is an empty string)",
                )
        answers = Answers(
            predictions=list(predictions),
            references=[listed[0] for listed in every],
            severities=[_severity(row, severity) for row, severity in enumerate(severities, start=1)],
            all_references=every,
        )
        scores = score_table([f"row {row}" for row in range(len(answers))], answers, self.metrics)
        found: dict[str, dict[str, Any]] = {stratum: {} for stratum in STRATA}
        for summary in summarise(scores, self.resampling):
            record = asdict(summary)
            found[record.pop("stratum")][record.pop("metric")] = record
        return {**found, "signatures": scores.signatures}


def _given(references: str | list[str] | None) -> list[str]:
    """One reference or several, without empty ones."""
    listed = [references] if isinstance(references, str) else references or []
    return [reference for reference in listed if (reference or "").strip()]


def _severity(row: int, name: str) -> Severity:
    try:
        return parse_severity(name)
    except UserError as error:
        raise UserError(f"row {row}: {error.problem}", error.remedy) from None
