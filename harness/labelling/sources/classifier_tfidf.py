"""Character n-grams with logistic regression: small, fast, and hard to upset by spelling."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import skops.io

from ...core.errors import UserError
from ...data.sources.archives import check_package, said
from ...languages import Language
from ...languages import language as language_of
from ...languages.text import Profile, normalise
from .base import Probabilities
from .classifier_info import ClassifierInfo

MODEL = "model.skops"
TRUSTED: tuple[str, ...] = ()
"""Types in a model file beyond those that skops itself holds safe: none are needed, so none are loaded."""
_REMEDY = "Train it again with `maqa train classifier DATASET --out DIR`"


class TfidfModel:
    """A fitted scikit-learn pipeline of ``TfidfVectorizer`` and ``LogisticRegression`` over normalised text."""

    def __init__(self, pipeline: Any, language: Language) -> None:
        self.pipeline = pipeline
        self.language = language

    def logits(self, questions: Sequence[str]) -> Probabilities:
        """Decision values, shape (n, 3)."""
        texts = [normalise(question, Profile.METRIC, self.language) for question in questions]
        values: Probabilities = np.asarray(self.pipeline.decision_function(texts), dtype=np.float64)
        return values

    def digest(self) -> str:
        """SHA-256 of vocabulary, frequencies and coefficients: equal training gives an equal digest."""
        vectorizer, regression = (step for _, step in self.pipeline.steps)
        digest = hashlib.sha256("\x1f".join(vectorizer.get_feature_names_out()).encode())
        for array in (vectorizer.idf_, regression.coef_, regression.intercept_):
            digest.update(np.ascontiguousarray(array, dtype=np.float64).tobytes())
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write the model file; no pickle."""
        skops.io.dump(self.pipeline, folder / MODEL)

    @classmethod
    def load(cls, folder: Path, info: ClassifierInfo) -> TfidfModel:
        """Read the model file.

        Raises:
            UserError: it is missing, foreign, holds types that are not trusted, or is of another scikit-learn.
        """
        path = folder / MODEL
        trained, here = info.versions.get("scikit-learn", "none"), sklearn.__version__
        if trained.split(".")[:2] != here.split(".")[:2]:
            raise UserError(f"{path} was made with scikit-learn {trained}, this is {here}", _REMEDY)
        try:
            with path.open("rb") as stream:
                check_package(path, stream, _REMEDY)
            unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
            if unknown:
                raise UserError(
                    f"{path} holds the untrusted type {sorted(unknown)[0][:100]}", "Do not use this file"
                )
            pipeline = skops.io.load(path, trusted=list(TRUSTED))
            names = [type(step).__name__ for _, step in getattr(pipeline, "steps", [])]
            if names != ["TfidfVectorizer", "LogisticRegression"]:
                raise UserError(f"{path} holds {' and '.join(names) or type(pipeline).__name__}", _REMEDY)
            model = cls(pipeline, language_of(info.language))
            # Of one whose parts were taken away there is no digest.
            model.digest()
        except UserError:
            raise
        except Exception as error:  # skops raises whatever a foreign file provokes
            raise UserError(f"{path} is no readable model: {said(error)}", _REMEDY) from error
        return model
