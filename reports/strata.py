"""Where the errors are: per severity and category, and what the answers look like beside their references."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..harness.languages import Language
from ..harness.languages.text import Profile, words
from ..harness.runs.run import Run
from ..harness.severity import SEVERITIES


@dataclass(frozen=True)
class Shape:
    """Surface of a stratum's answers, which moves similarity scores without moving quality.

    ``length_ratio`` is the median of words(answer) / words(reference); ``distinct`` the share of different answers;
    ``repeated`` how often the most frequent answer occurs.
    """

    stratum: str
    n: int
    median_words: float
    length_ratio: float
    distinct_pct: float
    repeated: int


@dataclass(frozen=True)
class CategoryScore:
    """Mean score of a category within a severity. Categories are small: no ranking follows from one."""

    category: str
    cells: dict[str, tuple[int, float]]


def answer_shapes(run: Run) -> list[Shape]:
    """One record per severity present."""
    return [
        _shape(str(severity), rows, run.language)
        for severity in SEVERITIES
        if len(rows := run.answers[run.answers["severity"] == str(severity)])
    ]


def category_scores(run: Run, metric: str) -> list[CategoryScore]:
    """Mean and n per category and severity, over the answers that the metric applies to.

    Categories stand by their overall mean from low to high.
    """
    rows = run.answers[["id", "severity", "category"]].merge(run.scores.frame[["id", metric]].dropna(), on="id")
    order = rows.groupby("category")[metric].mean().sort_values().index
    grouped = rows.groupby(["category", "severity"])[metric].agg(["size", "mean"])
    return [
        CategoryScore(
            str(category),
            {
                str(severity): (int(cell["size"]), float(cell["mean"]))
                for severity, cell in grouped.loc[category].iterrows()
            },
        )
        for category in order
    ]


def _shape(stratum: str, rows: pd.DataFrame, language: Language) -> Shape:
    lengths = np.array([len(words(text, Profile.METRIC, language)) for text in rows["prediction"]])
    references = np.array([max(len(words(text, Profile.METRIC, language)), 1) for text in rows["reference"]])
    counts = rows["prediction"].value_counts()
    return Shape(
        stratum=stratum,
        n=len(rows),
        median_words=float(np.median(lengths)),
        length_ratio=float(np.median(lengths / references)),
        distinct_pct=100.0 * len(counts) / len(rows),
        repeated=int(counts.iloc[0]),
    )
