"""Several answers to the same question: how far sampling moves a score, and how bad the worst of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..scores.signatures import Better, better
from ..severity import SEVERITIES


@dataclass(frozen=True)
class Spread:
    """One metric over k samples per question, in percent.

    ``mean`` is over all answers. ``sd_of_means`` is the standard deviation of the k means, one per sample: how far
    a board's number moves by sampling alone. ``sd_within`` is the root mean variance of a question's k scores.
    ``worst`` and ``best`` are means over questions of the worst and the best of its k; where neither direction is
    better, of the lowest and the highest. Of a rate where lower is better ``worst`` is the share of the questions
    with at least one such answer. Answers that a metric does not apply to count nowhere.
    """

    metric: str
    stratum: str
    questions: int
    samples: int
    mean: float
    sd_of_means: float
    sd_within: float
    worst: float
    best: float


def spread(frame: pd.DataFrame, signatures: Mapping[str, str]) -> list[Spread]:
    """The spread of every metric, per severity and overall.

    Args:
        frame: columns ``id``, ``severity``, ``sample`` and one per metric, k ≥ 2 rows per id.
        signatures: one per metric.
    """
    strata = {str(severity): frame[frame["severity"] == str(severity)] for severity in SEVERITIES}
    scores = {
        (metric, name): rows.pivot(index="id", columns="sample", values=metric).dropna(how="all")
        for metric in signatures
        for name, rows in {**strata, "overall": frame}.items()
    }
    return [
        _spread(table, metric, name, signatures[metric]) for (metric, name), table in scores.items() if len(table)
    ]


def _spread(scores: pd.DataFrame, metric: str, stratum: str, signature: str) -> Spread:
    """``scores``: one row per question, one column per sample."""
    low, high = float(scores.min(axis=1).mean()), float(scores.max(axis=1).mean())
    worst, best = (high, low) if better(signature) is Better.LOWER else (low, high)
    return Spread(
        metric=metric,
        stratum=stratum,
        questions=len(scores),
        samples=scores.shape[1],
        mean=float(np.nanmean(scores.to_numpy())),
        sd_of_means=float(scores.mean(axis=0).std(ddof=1)),
        sd_within=float(scores.var(axis=1, ddof=1).mean() ** 0.5),
        worst=worst,
        best=best,
    )
