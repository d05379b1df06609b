"""Fits the embedded classifier: character n-grams within words and a balanced logistic regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from ...harness.labelling.sources.classifier_tfidf import TfidfModel
from ...harness.languages import Language
from ...harness.languages.text import Profile, normalise
from .config import ClassifierConfig

_NGRAMS = (2, 5)
# Bounds the model's size on hundreds of thousands of complaints; a sample of 3,000 stays far below it.
_MAX_FEATURES = 200_000


def fit_tfidf(
    questions: Sequence[str], ranks: npt.NDArray[np.int8], language: Language, config: ClassifierConfig
) -> TfidfModel:
    """Fit on complaints with true ranks of shape (n,); every class must occur."""
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=_NGRAMS, sublinear_tf=True, min_df=2, max_features=_MAX_FEATURES
    )
    # Balanced, since a rare critical class must not be bought off by accuracy on the common ones.
    regression = LogisticRegression(
        C=config.inverse_regularisation, class_weight="balanced", max_iter=2000, random_state=config.seed
    )
    pipeline = Pipeline([("ngrams", vectorizer), ("regression", regression)])
    pipeline.fit([normalise(question, Profile.METRIC, language) for question in questions], ranks)
    return TfidfModel(pipeline, language)
