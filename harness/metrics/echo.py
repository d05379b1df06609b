"""How much of an answer is copied from its question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..languages import Language
from ..languages.text import Profile, signature, words
from ..scores.signatures import NEITHER_IS_BETTER
from .base import Answers, Scores
from .registry import Group, Need, metric


@metric(
    Group.STYLE,
    meaning={"echo_rate": "words of the answer that stand in the question"},
    needs=[Need.QUESTIONS],
    neither=["echo_rate"],
)
@dataclass(frozen=True)
class EchoRate:
    """Share of the answer's words that stand in the question; 0 without any."""

    language: Language

    columns = ("echo_rate",)

    @cached_property
    def signatures(self) -> dict[str, str]:
        norm = signature(Profile.METRIC, self.language)
        return {"echo_rate": f"refs:0+question|tok:words|{norm}|{NEITHER_IS_BETTER}|version:1"}

    def score(self, answers: Answers) -> dict[str, Scores]:
        shares = np.zeros(len(answers))
        for row, (text, question) in enumerate(zip(answers.predictions, answers.questions or (), strict=False)):
            tokens = words(text, Profile.METRIC, self.language)
            asked = set(words(question, Profile.METRIC, self.language))
            shares[row] = sum(token in asked for token in tokens) / max(len(tokens), 1)
        return {"echo_rate": 100 * shares}
