"""A source against a gold file: rows joined by id, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ...core.errors import UserError
from ...data.dataset import SPLITS, Dataset, open_dataset
from ...data.folder import is_dataset
from ...languages import Language
from ...severity import SEVERITIES
from ..audit.gold_table import GoldTable
from ..prior import filled, without_letters
from ..sources.base import Probabilities, SeveritySource
from ..sources.decisions import called
from .report_card import Ranks, ReportCard, Rivals, report_card
from .rivals import rivals_of

_SHOWN = 3


def check(dataset: Dataset, source: SeveritySource, gold: GoldTable, gold_path: Path) -> ReportCard:
    """The report card of a source on the rows of a dataset that the gold labels.

    Raises:
        UserError: an id of the gold is not in the dataset.
    """
    frame = pd.concat([dataset.split(name)[["id", "question"]] for name in SPLITS], ignore_index=True)
    known = dict(zip(frame["id"].astype(str), frame["question"], strict=True))
    if strange := [key for key in gold.ids if key not in known]:
        shown = ", ".join(strange[:_SHOWN])
        raise UserError(
            f"{gold_path}: {len(strange):,} of {len(gold.ids):,} ids are not in {dataset.folder}: {shown}",
            "Use the dataset whose ids the gold file names",
        )
    by = open_dataset(gold_path).info.severity_source.name if is_dataset(gold_path) else "column"
    questions = [known[key] for key in gold.ids]
    rivals = rivals_of(gold.ranks, gold.codes, ordered=True)
    return card_of(source, questions, gold.ranks, dataset.language, f"gold {gold_path.name}", by, rivals)


def card_of(
    source: SeveritySource,
    questions: Sequence[str],
    truth: Ranks,
    language: Language,
    labels: str,
    truth_by: str,
    rivals: Rivals | None = None,
) -> ReportCard:
    """The report card of a source on questions with true ranks of shape (n,), which ``truth_by`` gave."""
    probabilities = decided(source, questions, language)
    unknown = np.isnan(probabilities).any(axis=1)
    probabilities = filled(probabilities, language)
    return report_card(
        probabilities,
        truth,
        source=(source.name, source.version, source.sha256),
        labels=labels,
        unknown=int(unknown.sum()),
        truth_by=truth_by,
        assigned=called(source, probabilities, unknown),
        rivals=rivals,
    )


def decided(source: SeveritySource, questions: Sequence[str], language: Language) -> Probabilities:
    """Probabilities as labelling uses them, NaN where the source does not know or there is nothing to read."""
    probabilities = np.array(source.probabilities(questions))
    probabilities[without_letters(questions, language)] = np.nan
    return probabilities


def severity_ranks(severities: pd.Series[str]) -> Ranks:
    """Ranks of severities, -1 where missing, shape (n,)."""
    table = {str(severity): severity.rank for severity in SEVERITIES}
    return np.asarray(severities.map(table).fillna(-1), dtype=np.int8)
