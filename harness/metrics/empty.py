"""Answers without a word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..languages import Language
from ..languages.text import Profile, has_word, signature
from ..scores.signatures import LOWER_IS_BETTER, RATE
from .base import Answers, Scores
from .registry import Group, metric


@metric(Group.PRESENCE, meaning={"empty": "holds no word, whatever marks and pictures it holds"}, lower=["empty"])
@dataclass(frozen=True)
class Empty:
    """100 where the answer holds no word (space, marks, punctuation, emoji only), else 0."""

    language: Language

    columns = ("empty",)

    @property
    def signatures(self) -> dict[str, str]:
        return {"empty": f"refs:0|{signature(Profile.METRIC, self.language)}|{RATE}|{LOWER_IS_BETTER}|version:2"}

    def score(self, answers: Answers) -> dict[str, Scores]:
        empty = [not has_word(text, self.language) for text in answers.predictions]
        return {"empty": 100 * np.array(empty, dtype=np.float64)}
