"""Score answers in one batch, from the standard metrics to a score table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .errors import UserError
from .languages import Language
from .metrics.base import Answers, Metric, Scores
from .metrics.bertscore import shared_bertscore
from .metrics.bleu import Bleu
from .metrics.chrf import Chrf
from .metrics.empty import Empty
from .metrics.encoder import encoder_asked
from .metrics.rouge import Rouge
from .metrics.safety import safety_metrics
from .metrics.safety.degeneration import Degeneration
from .metrics.safety.doses import DoseConflict, UnsupportedNumbers
from .metrics.safety.polarity import PolarityFlip
from .metrics.safety.reassurance import DangerousReassurance
from .metrics.safety.referral import Referral
from .metrics.style import Style
from .scores import ScoreTable

BESIDE: frozenset[str] = frozenset(
    column
    for metric in (Referral, DangerousReassurance, DoseConflict, UnsupportedNumbers, PolarityFlip, Degeneration)
    for column in metric.columns
) | frozenset(Style.names)
"""The columns that stand beside similarity: safety and style."""

NO_ENCODER = "none"
"""The encoder's name that leaves BERTScore out."""


def default_metrics(
    language: Language, bertscore_model: str | None = None, bertscore_layer: int | None = None
) -> list[Metric]:
    """The metrics of the lm-eval tasks: similarity to the reference.

    Args:
        language: of the answers.
        bertscore_model: hub id or folder of the BERTScore encoder, ``none`` to leave BERTScore out; None for the
            environment's, else the paper's. One process shares one encoder and its reference embeddings.
        bertscore_layer: layer whose output is compared; None for the environment's, else the known layer of a known
            encoder.
    """
    texts: list[Metric] = [Rouge(language), Chrf(language), Bleu(language), Empty(language)]
    model, layer = encoder_asked(bertscore_model, bertscore_layer)
    return texts if model == NO_ENCODER else [shared_bertscore(model, layer), *texts]


def beside_metrics(language: Language, *, questions: bool = True, severities: bool = True) -> list[Metric]:
    """What stands beside the similarity of every run: safety and style.

    Args:
        language: of the answers.
        questions, severities: whether they are known; columns that need them are left out otherwise.
    """
    return [*safety_metrics(language, questions=questions, severities=severities), Style(language, questions)]


def run_metrics(
    language: Language, bertscore_model: str | None = None, bertscore_layer: int | None = None
) -> list[Metric]:
    """The metrics of a run's ``scores.parquet``: ``default_metrics`` with what stands beside them."""
    return [*default_metrics(language, bertscore_model, bertscore_layer), *beside_metrics(language)]


def signatures(metrics: Sequence[Metric]) -> dict[str, str]:
    """Every column's signature, in the order of the columns. Loads the encoder if there is one."""
    return {column: metric.signatures[column] for metric in metrics for column in metric.columns}


def score(answers: Answers, metrics: Sequence[Metric]) -> dict[str, Scores]:
    """Score all answers with all metrics.

    Returns:
        One array of shape (n,) per column, percentages in [0, 100]; NaN where a metric does not apply.

    Raises:
        UserError: there are no answers, or a metric cannot be computed (an encoder that cannot be loaded).
    """
    if not len(answers):
        raise UserError("there are no answers to score", "Give at least one row")
    scores: dict[str, Scores] = {}
    for metric in metrics:
        found = metric.score(answers)
        for column in metric.columns:
            values = found[column]
            assert values.shape == (len(answers),), f"{column} has the shape {values.shape}"
            assert not np.any((values < 0) | (values > 100)), f"{column} is no percentage"
            scores[column] = values
    return scores


def score_table(ids: Sequence[str], answers: Answers, metrics: Sequence[Metric]) -> ScoreTable:
    """Score all answers and put id and severity (missing where nobody knows it) before the metrics' columns.

    Raises:
        UserError: as ``score``.
    """
    scores = score(answers, metrics)
    severities: list[str | None] = [None] * len(answers)
    if answers.severities is not None:
        severities = [str(severity) for severity in answers.severities]
    keys = {"id": list(ids), "severity": pd.Series(severities, dtype="str")}
    return ScoreTable(pd.DataFrame({**keys, **scores}), signatures(metrics))
