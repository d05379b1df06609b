"""Folds inside the training rows: what settings are chosen on, and what probabilities are calibrated on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from ...harness.labelling.sources.base import Probabilities
from ...harness.labelling.sources.classifier import calibrated
from ...harness.labelling.sources.classifier_linear import Linear
from .calibration import fit_calibration
from .rows import Rows

Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
FOLDS = 5
MOST_ROWS = 4_000
"""Of more training rows so many, drawn with the severities in like shares, choose and calibrate."""


@dataclass(frozen=True)
class Inner:
    """Rows with their folds, and in words how they were cut."""

    rows: Rows
    folds: list[Fold]
    words: str


@dataclass(frozen=True)
class Chosen:
    """The setting with the least ranked probability score, its logits of rows that its model did not see, shape
    (n, 3), and the score of every candidate."""

    setting: dict[str, Any]
    logits: Probabilities
    scores: dict[str, float]


def inner_folds(rows: Rows, seed: int) -> Inner:
    """Folds by group that see every severity; by row where the groups are too few for that, which the words say."""
    n = len(rows.ranks)
    if n > MOST_ROWS:
        kept, _ = train_test_split(np.arange(n), train_size=MOST_ROWS, random_state=seed, stratify=rows.ranks)
        rows = rows.take(np.sort(kept))
    drawn = f" drawn from {n:,}" if n > MOST_ROWS else ""
    empty = np.zeros(len(rows.ranks))
    for count in range(min(FOLDS, len(set(rows.groups))), 1, -1):
        cut = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
        folds = list(cut.split(empty, rows.ranks, rows.groups))
        if all(len(set(rows.ranks[seen].tolist())) == 3 and len(unseen) for seen, unseen in folds):
            return Inner(rows, folds, f"{len(empty):,} rows{drawn} in {count} folds grouped by {rows.grouped_by}")
    count = int(min(FOLDS, np.bincount(rows.ranks, minlength=3).min()))
    by_row = StratifiedKFold(n_splits=count, shuffle=True, random_state=seed)
    words = f"{len(empty):,} rows{drawn} in {count} folds, not grouped: too few groups ({rows.grouped_by})"
    return Inner(rows, list(by_row.split(empty, rows.ranks)), words)


def ranked_probability_score(probabilities: Probabilities, rows: Rows) -> float:
    """Mean over the rows, from 0 to 1 (Epstein 1969): proper, and dearer the further a severity is missed."""
    gap = (probabilities - np.eye(3)[rows.ranks]).cumsum(axis=1)[:, :2]
    return float((gap**2).mean())


def choose(candidates: Iterable[tuple[dict[str, Any], Probabilities]], rows: Rows) -> Chosen:
    """The candidate whose logits, once calibrated, score best; the first of equals."""
    scores: dict[str, float] = {}
    best: tuple[float, dict[str, Any], Probabilities] | None = None
    for setting, logits in candidates:
        found = fit_calibration(logits, rows.ranks)
        score = ranked_probability_score(calibrated(logits, found.temperature, found.bias), rows)
        scores[", ".join(f"{name} {value}" for name, value in setting.items())] = score
        if best is None or score < best[0] - 1e-9:
            best = score, setting, logits
    assert best is not None
    return Chosen(best[1], best[2], scores)


def fit_linear(features: npt.NDArray[np.float64], rows: Rows, strength: float, seed: int) -> Linear:
    """Balanced logistic regression with C = ``strength`` over standardised features (n, f)."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000, random_state=seed)
    model.fit((features - mean) / scale, rows.ranks)
    return Linear(mean, scale, model.coef_, model.intercept_)


def out_of_fold(
    inner: Inner, fit_predict: Callable[[npt.NDArray[np.intp], npt.NDArray[np.intp]], Probabilities]
) -> Probabilities:
    """Logits of each row by a model that did not see its group, shape (n, 3)."""
    logits = np.empty((len(inner.rows.ranks), 3))
    for seen, unseen in inner.folds:
        logits[unseen] = fit_predict(seen, unseen)
    return logits


def linear_candidates(
    features: npt.NDArray[np.float64], inner: Inner, strengths: Iterable[float], seed: int
) -> Iterable[tuple[dict[str, Any], Probabilities]]:
    """Each C with its out-of-fold logits."""
    for strength in strengths:

        def fit_predict(
            seen: npt.NDArray[np.intp], unseen: npt.NDArray[np.intp], strength: float = strength
        ) -> Probabilities:
            return fit_linear(features[seen], inner.rows.take(seen), strength, seed).logits(features[unseen])

        yield {"C": strength}, out_of_fold(inner, fit_predict)
