"""Fits a logistic regression over the vectors of an encoder that stays as it is."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...harness.labelling.sources.classifier_embedding import EmbeddingModel
from ...harness.labelling.sources.text_encoder import TextEncoder, Vectors
from .config import ClassifierConfig
from .inner import Chosen, Inner, choose, fit_linear, linear_candidates
from .rows import Rows

STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
"""The grid of C over standardised vectors: so many, so alike, that they want strong regularisation."""


class Reader:
    """Reads each text once, however many folds ask for it."""

    def __init__(self, base: str, revision: str | None, prefix: str, max_length: int) -> None:
        self.encoder = TextEncoder(base, revision, prefix, max_length)
        self._known: dict[str, Vectors] = {}

    def vectors(self, questions: list[str]) -> Vectors:
        """Shape (n, width)."""
        new = list(dict.fromkeys(text for text in questions if text not in self._known))
        self._known.update(zip(new, self.encoder.vectors(new), strict=True))
        return np.array([self._known[text] for text in questions])


@lru_cache(maxsize=1)
def _reader(base: str, revision: str | None, prefix: str, max_length: int) -> Reader:
    return Reader(base, revision, prefix, max_length)


def reader_of(config: ClassifierConfig) -> Reader:
    """The reader of these settings, the same for every fold.

    Raises:
        UserError: the encoder cannot be loaded.
    """
    return _reader(config.base, config.revision, config.prefix, config.max_length)


def choose_embedding(inner: Inner, reader: Reader, config: ClassifierConfig) -> Chosen:
    """The C that does best on inner folds."""
    fixed = config.inverse_regularisation
    strengths = STRENGTHS if fixed is None else (fixed,)
    vectors = reader.vectors(inner.rows.questions)
    return choose(linear_candidates(vectors, inner, strengths, config.seed), inner.rows)


def fit_embedding(rows: Rows, reader: Reader, strength: float, config: ClassifierConfig) -> EmbeddingModel:
    """Fit on complaints of every severity."""
    linear = fit_linear(reader.vectors(rows.questions), rows, strength, config.seed)
    return EmbeddingModel(reader.encoder, linear, config.revision)
