"""Score answers in one batch, from the standard metrics to a score table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from ..core.errors import UserError
from ..core.memory import uncollected
from ..languages import Language, Part
from ..scores.findings import Finding, to_text
from ..scores.references import references_asked
from ..scores.signatures import better
from ..scores.table import ScoreTable
from .base import Answers, Explains, Metric, Scores
from .bertscore.encoder import NO_ENCODER, encoder_asked
from .references import over_references
from .registry import COLUMNS, IN_LM_EVAL, Group, Need, declared, shared


def default_metrics(
    language: Language,
    bertscore_model: str | None = None,
    bertscore_layer: int | None = None,
    bertscore_window: bool | None = None,
    references: str | None = None,
    **known: bool,
) -> list[Metric]:
    """The metrics of the lm-eval tasks: similarity to the reference, and whether there is an answer.

    See ``run_metrics`` for the arguments.
    """
    encoder = (bertscore_model, bertscore_layer, bertscore_window)
    return over_references(_metrics(IN_LM_EVAL, language, encoder, **known), references_asked(references))


def beside_metrics(
    language: Language,
    bertscore_model: str | None = None,
    bertscore_layer: int | None = None,
    bertscore_window: bool | None = None,
    **known: bool,
) -> list[Metric]:
    """What stands beside the similarity of every run: safety and style. See ``run_metrics``."""
    groups = [group for group in Group if group not in IN_LM_EVAL]
    return _metrics(groups, language, (bertscore_model, bertscore_layer, bertscore_window), **known)


def safety_metrics(language: Language, **known: bool) -> list[Metric]:
    """The detectors that need no encoder. See ``run_metrics``."""
    return _metrics([Group.SAFETY], language, (NO_ENCODER, None, None), **known)


def run_metrics(
    language: Language,
    bertscore_model: str | None = None,
    bertscore_layer: int | None = None,
    bertscore_window: bool | None = None,
    references: str | None = None,
    **known: bool,
) -> list[Metric]:
    """The metrics of a run's ``scores.parquet``: ``default_metrics`` with what stands beside them.

    Args:
        language: of the answers; a metric that needs more than the language's folder holds is left out.
        bertscore_model: hub id or folder of the BERTScore encoder, ``none`` to leave BERTScore out; None for the
            environment's, else the paper's. One process shares one encoder and its reference embeddings.
        bertscore_layer: layer whose output is compared; None for the environment's, else the known layer of a known
            encoder.
        bertscore_window: whether texts beyond the encoder's maximum are read in windows; None for the
            environment's, else not.
        references: ``first``, ``best`` or ``mean`` of similarity where a question has several references; None for
            the environment's, else the first.
        known: ``questions`` and ``severities``, as they are unless said otherwise; metrics that need what is not
            known are left out.
    """
    encoder = (bertscore_model, bertscore_layer, bertscore_window)
    beside = [group for group in Group if group not in IN_LM_EVAL]
    inside = over_references(_metrics(IN_LM_EVAL, language, encoder, **known), references_asked(references))
    return [*inside, *_metrics(beside, language, encoder, **known)]


def _metrics(
    groups: Collection[Group],
    language: Language,
    encoder: tuple[str | None, int | None, bool | None],
    *,
    questions: bool = True,
    severities: bool = True,
) -> list[Metric]:
    asked = encoder_asked(*encoder)
    absent: dict[Need | Part, bool] = {
        Need.QUESTIONS: not questions,
        Need.SEVERITIES: not severities,
        Need.ENCODER: asked.model == NO_ENCODER,
    }
    return [
        shared(each.make, language, asked) if Need.ENCODER in each.needs else each.make(language)
        for each in declared()
        if each.group in groups and not any(absent.get(need) for need in each.needs) and not each.missing(language)
    ]


def signatures(metrics: Sequence[Metric]) -> dict[str, str]:
    """Every column's signature, in the order of the columns. Loads the encoder if there is one."""
    found = {column: metric.signatures[column] for metric in metrics for column in metric.columns}
    for column, signature in found.items():
        if column in COLUMNS:
            assert better(signature) is COLUMNS[column].better, f"{column} is declared otherwise than it is signed"
    return found


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
        with uncollected():
            found = metric.score(answers)
        for column in metric.columns:
            values = found[column]
            assert values.shape == (len(answers),), f"{column} has the shape {values.shape}"
            assert not np.any((values < 0) | (values > 100)), f"{column} is no percentage"
            scores[column] = values
    return scores


def score_table(
    ids: Sequence[str], answers: Answers, metrics: Sequence[Metric], explain: bool = True
) -> ScoreTable:
    """Score all answers and put id and severity (missing where nobody knows it) before the metrics' columns.

    Args:
        ids: of the answers.
        answers: what is scored.
        metrics: what scores it.
        explain: whether to find out too which words the detectors went by.

    Raises:
        UserError: as ``score``.
    """
    scores = score(answers, metrics)
    severities: list[str | None] = [None] * len(answers)
    if answers.severities is not None:
        severities = [str(severity) for severity in answers.severities]
    keys = {"id": list(ids), "severity": pd.Series(severities, dtype="str")}
    explained = explain and any(isinstance(metric, Explains) for metric in metrics)
    marked = [to_text(found) for found in findings(answers, metrics, scores)] if explained else []
    return ScoreTable(
        pd.DataFrame({**keys, **scores}),
        signatures(metrics),
        findings=pd.Series(marked, dtype="str") if explained else None,
    )


def findings(answers: Answers, metrics: Sequence[Metric], scores: Mapping[str, Scores]) -> list[list[Finding]]:
    """What the detectors among ``metrics`` found, row by row: of the columns that ``scores`` marks with 100.

    The parts of a column are explained by the column that they are parts of.
    """
    found: list[list[Finding]] = [[] for _ in range(len(answers))]
    for metric in metrics:
        if not isinstance(metric, Explains):
            continue
        for column in metric.columns:
            if column in COLUMNS and COLUMNS[column].group is Group.PART:
                continue
            for row in np.flatnonzero(scores[column] == 100):
                found[row] += metric.explain(column, answers, int(row))
    return found
