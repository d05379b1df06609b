"""Fits a linear model over other classifiers' logits and what the triage of the rules found.

It learns from logits of rows that their classifier did not see; otherwise it would trust what was only remembered.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...harness.labelling.sources.classifier_stacked import (
    EMBEDDING,
    TFIDF,
    StackedModel,
    fired,
    rule_features,
    rules_of,
)
from ...harness.languages import Language
from .config import ClassifierConfig
from .inner import Chosen, Inner, choose, fit_linear, linear_candidates
from .rows import Rows
from .tfidf import choose_tfidf, fit_tfidf

if TYPE_CHECKING:
    from ...harness.labelling.sources.classifier_embedding import EmbeddingModel
    from ...harness.labelling.sources.classifier_tfidf import TfidfModel
    from .embedding import Reader

STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
_OFTEN = 4
"""Rows in which a discriminator must fire to be a feature of its own."""


@dataclass(frozen=True)
class Stack:
    """What the folds chose: for each part by name, and for the model over them."""

    parts: dict[str, Chosen]
    top: Chosen
    inner: Inner
    discriminators: tuple[str, ...]
    features: np.ndarray[tuple[int, int], np.dtype[np.float64]]


def choose_stack(inner: Inner, language: Language, reader: Reader | None, config: ClassifierConfig) -> Stack:
    """Choose each part's settings, then the C of the model over their out-of-fold logits, on the same folds."""
    parts = {TFIDF: choose_tfidf(inner, language, config.model_copy(update={"inverse_regularisation": None}))}
    if reader is not None:
        from .embedding import choose_embedding

        parts[EMBEDDING] = choose_embedding(
            inner, reader, config.model_copy(update={"inverse_regularisation": None})
        )
    rules = rules_of(language)
    labels = rules.labels(inner.rows.questions)
    counts = Counter(each for ids in fired(labels) for each in ids)
    often = tuple(sorted(each for each, rows in counts.items() if rows >= _OFTEN))
    given = [each.logits for each in parts.values()]
    features = np.column_stack([*given, rule_features(labels, rules.prior, often)])
    fixed = config.inverse_regularisation
    strengths = STRENGTHS if fixed is None else (fixed,)
    top = choose(linear_candidates(features, inner, strengths, config.seed), inner.rows)
    return Stack(parts, top, inner, often, features)


def fit_stack(
    rows: Rows, stack: Stack, language: Language, reader: Reader | None, config: ClassifierConfig
) -> StackedModel:
    """Fit the parts on all rows, and the model over them on their out-of-fold logits."""
    parts: dict[str, TfidfModel | EmbeddingModel] = {
        TFIDF: fit_tfidf(rows, language, stack.parts[TFIDF].setting, config)
    }
    if reader is not None:
        from .embedding import fit_embedding

        parts[EMBEDDING] = fit_embedding(rows, reader, stack.parts[EMBEDDING].setting["C"], config)
    linear = fit_linear(stack.features, stack.inner.rows, stack.top.setting["C"], config.seed)
    return StackedModel(parts, rules_of(language), stack.discriminators, linear)
