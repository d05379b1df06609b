"""Answers without a word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..languages import Language
from ..signatures import LOWER_IS_BETTER, RATE
from ..text import Profile, normalise, signature
from .base import Answers, Scores


@dataclass(frozen=True)
class Empty:
    """100 where nothing is left of the answer after normalisation (space, marks, punctuation only), else 0."""

    language: Language

    columns = ("empty",)

    @property
    def signatures(self) -> dict[str, str]:
        return {"empty": f"refs:0|{signature(Profile.METRIC, self.language)}|{RATE}|{LOWER_IS_BETTER}|version:1"}

    def score(self, answers: Answers) -> dict[str, Scores]:
        empty = [not normalise(text, Profile.METRIC, self.language) for text in answers.predictions]
        return {"empty": 100 * np.array(empty, dtype=np.float64)}
