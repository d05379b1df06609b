"""Fits the embedded classifier: character n-grams within words and a balanced logistic regression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from ...harness.labelling.sources.base import Probabilities
from ...harness.labelling.sources.classifier_tfidf import TfidfModel
from ...harness.languages import Language
from ...harness.languages.text import Profile, normalise
from .config import ClassifierConfig
from .inner import Chosen, Inner, choose
from .rows import Rows

NGRAMS = ((2, 4), (2, 5))
STRENGTHS = (0.5, 2.0, 8.0)
"""The grid: characters of an n-gram, and C."""
# Bounds the model's size on hundreds of thousands of complaints; a sample of 3,000 stays far below it.
_MAX_FEATURES = 200_000
_SPANNED = 1_500
"""Rows up to which their span is worth looking for."""


def choose_tfidf(inner: Inner, language: Language, config: ClassifierConfig) -> Chosen:
    """The n-grams and C that do best on inner folds."""
    texts = np.array([normalise(text, Profile.METRIC, language) for text in inner.rows.questions], dtype=object)
    fixed = config.inverse_regularisation
    strengths = STRENGTHS if fixed is None else (fixed,)

    def candidates() -> Iterator[tuple[dict[str, Any], Probabilities]]:
        for ngrams in NGRAMS:
            logits = np.empty((len(strengths), len(texts), 3))
            for seen, unseen in inner.folds:
                vectorizer = _vectorizer(ngrams)
                features, asked = rotated(
                    vectorizer.fit_transform(texts[seen]), vectorizer.transform(texts[unseen])
                )
                for place, strength in enumerate(strengths):
                    model = _regression(strength, config.seed).fit(features, inner.rows.ranks[seen])
                    logits[place, unseen] = model.decision_function(asked)
            for strength, found in zip(strengths, logits, strict=True):
                yield {"ngrams": list(ngrams), "C": strength}, found

    return choose(candidates(), inner.rows)


def rotated(features: Any, asked: Any) -> tuple[Any, Any]:
    """Sparse rows (n, f) and others (m, f) in the at most n directions that the first span, where n is small.

    A regression with an L2 penalty has its coefficients in that span, so that nothing changes but the time.
    """
    if features.shape[0] > _SPANNED:
        return features, asked
    values, vectors = np.linalg.eigh((features @ features.T).toarray())
    kept = values > values.max() * 1e-10
    turned = vectors[:, kept] / np.sqrt(values[kept])
    return (features @ features.T).toarray() @ turned, (asked @ features.T).toarray() @ turned


def fit_tfidf(rows: Rows, language: Language, setting: dict[str, Any], config: ClassifierConfig) -> TfidfModel:
    """Fit on complaints of every severity."""
    vectorizer = _vectorizer(tuple(setting["ngrams"]))
    pipeline = Pipeline([("ngrams", vectorizer), ("regression", _regression(setting["C"], config.seed))])
    pipeline.fit([normalise(question, Profile.METRIC, language) for question in rows.questions], rows.ranks)
    return TfidfModel(pipeline, language)


def _vectorizer(ngrams: tuple[int, int]) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=ngrams, sublinear_tf=True, min_df=2, max_features=_MAX_FEATURES
    )


def _regression(strength: float, seed: int) -> LogisticRegression:
    # Balanced, since a rare critical class must not be bought off by accuracy on the common ones.
    return LogisticRegression(C=strength, class_weight="balanced", max_iter=2000, random_state=seed)
