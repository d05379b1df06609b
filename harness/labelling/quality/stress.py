"""How far a severity source follows the wording instead of the complaint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...core.errors import UserError
from ...core.files import sha256_text
from ...core.settings import Record
from ...data.columns import Role, aliases
from ...data.dataset import SPLITS, Dataset
from ...data.sources import open_source
from ...languages import Language
from ...languages.text import Profile, normalise
from ...severity import Weights
from ...statistics.intervals import wilson
from ..prior import filled
from ..sources.base import Probabilities, SeveritySource
from ..sources.decisions import called
from .check import decided, severity_ranks
from .perturb import perturbations, stress_data
from .report_card import Ranks

MAX_ROWS = 5_000
"""More rows than this are thinned evenly: the interval of a share is below 1.5 points by then."""
PAIRS = "dialect to MSA"


class _Said(NamedTuple):
    """Of n complaints: probabilities, shape (n, 3), and the ranks that they are called, shape (n,)."""

    probabilities: Probabilities
    ranks: Ranks


class StressRow(Record):
    """What one way of rewriting does to a source on n complaints.

    ``changed_text`` is the share of complaints that it rewrites at all; ``flips`` the share of all whose severity
    changes, with its 95 % interval; recalls of critical before and after are percentages of the truly critical rows
    (None without any); ``weight_change`` is the difference of the mean weight.
    """

    perturbation: str
    rows: int
    changed_text: float
    flips: float
    flips_low: float
    flips_high: float
    critical_recall_before: float | None
    critical_recall_after: float | None
    weight_before: float
    weight_change: float


class StressReport(Record):
    """All rows of a stress test; ``truth`` says which rows count as truly critical."""

    source: str
    version: str
    sha256: str
    stress_version: str
    truth: str
    rows: list[StressRow]


def stress(
    source: SeveritySource,
    questions: Sequence[str],
    truth: Ranks | None,
    weights: Weights,
    *,
    language: Language,
    pairs: Sequence[tuple[str, str]] = (),
    progress: Callable[[int], None] = lambda rows: None,
) -> StressReport:
    """Rewrite the questions in every way and compare what the source says.

    Args:
        truth: true ranks, shape (n,), -1 where unknown; without it the source's own labels before rewriting count.
        pairs: questions in dialect with their standard form; always measured against the source's own labels.
        progress: called with the number of complaints finished since the last call.
    """
    kept = np.unique(np.linspace(0, len(questions) - 1, min(len(questions), MAX_ROWS)).round().astype(int))
    questions = [questions[at] for at in kept]
    before = _say(source, questions, language)
    true = before.ranks if truth is None else truth[kept]
    rows = []
    for name, rewrite in perturbations(language).items():
        # Its own stream per way and complaint: neither order nor number of the complaints changes a rewriting.
        rewritten = [rewrite(text, np.random.default_rng(_seed(name, text))) for text in questions]
        rows.append(_compare(name, questions, rewritten, before, _say(source, rewritten, language), true, weights))
        progress(len(questions))
    if pairs:
        dialect, standard = ([pair[side] for pair in pairs] for side in (0, 1))
        spoken, formal = _say(source, dialect, language), _say(source, standard, language)
        rows.append(_compare(PAIRS, dialect, standard, spoken, formal, spoken.ranks, weights))
        progress(len(pairs))
    return StressReport(
        source=source.name,
        version=source.version,
        sha256=source.sha256,
        stress_version=stress_data(language).version,
        truth="the source's own labels before rewriting" if truth is None else "labels by people",
        rows=rows,
    )


def stress_dataset(
    dataset: Dataset,
    source: SeveritySource,
    weights: Weights,
    *,
    pairs: Sequence[tuple[str, str]] = (),
    progress: Callable[[int], None] = lambda rows: None,
) -> StressReport:
    """Stress a source on all splits of a dataset; people's labels, if it has any, say which rows are critical."""
    frame = pd.concat([dataset.split(name) for name in SPLITS], ignore_index=True)
    truth = severity_ranks(frame["severity"]) if dataset.info.severity_source.name == "column" else None
    return stress(
        source,
        frame["question"].tolist(),
        truth,
        weights,
        language=dataset.language,
        pairs=pairs,
        progress=progress,
    )


def read_pairs(path: Path, language: Language) -> list[tuple[str, str]]:
    """Questions with their standard form, of a table with both columns; rows that lack one are left out.

    Raises:
        UserError: the file cannot be read, or lacks a column or any whole pair.
    """
    opened = open_source(path)
    header = [normalise(name, Profile.METRIC, language) for name in opened.columns]
    known = (
        aliases(Role.QUESTION, language),
        tuple(normalise(name, Profile.METRIC, language) for name in stress_data(language).msa_columns),
    )
    places = [next((header.index(name) for name in names if name in header), None) for names in known]
    if None in places:
        shown = ", ".join(opened.columns)
        raise UserError(f"{path} lacks a question or an MSA column; it has {shown}", "Name them question and msa")
    pairs = [
        (question, standard)
        for batch in opened.batches([place for place in places if place is not None])
        for question, standard in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        if question and question.strip() and standard and standard.strip()
    ]
    if not pairs:
        raise UserError(f"{path} has no row with both questions", "Fill both columns")
    return pairs


def _seed(name: str, text: str) -> int:
    return int(sha256_text(f"{name}\x1f{text}")[:12], 16)


def _say(source: SeveritySource, questions: Sequence[str], language: Language) -> _Said:
    found = decided(source, questions, language)
    probabilities = filled(found, language)
    return _Said(probabilities, called(source, probabilities, np.isnan(found).any(axis=1)))


def _compare(
    name: str,
    before_texts: Sequence[str],
    after_texts: Sequence[str],
    before: _Said,
    after: _Said,
    truth: Ranks,
    weights: Weights,
) -> StressRow:
    flips = before.ranks != after.ranks
    low, high = wilson(np.array(float(flips.sum())), len(flips))
    critical = truth == 2
    return StressRow(
        perturbation=name,
        rows=len(flips),
        changed_text=100
        * float(np.mean([one != other for one, other in zip(before_texts, after_texts, strict=True)])),
        flips=100 * float(flips.mean()),
        flips_low=float(low),
        flips_high=float(high),
        critical_recall_before=_recall(before.ranks, critical),
        critical_recall_after=_recall(after.ranks, critical),
        weight_before=float(weights.of(before.probabilities).mean()),
        weight_change=float(weights.of(after.probabilities).mean() - weights.of(before.probabilities).mean()),
    )


def _recall(ranks: Ranks, critical: npt.NDArray[np.bool_]) -> float | None:
    return 100 * float((ranks[critical] == 2).mean()) if critical.any() else None
