"""What the detectors share that are made of rules of danger."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ...languages import Language
from ...languages.text import Profile, signature
from ...scores.findings import Finding
from ...scores.signatures import LOWER_IS_BETTER, RATE
from ..base import Answers, Scores
from .danger_reader import danger_reader
from .danger_rules import dangers


@dataclass(frozen=True)
class DangerMetric:
    """100 where an answer breaks a rule of the column's name, else 0."""

    language: Language

    columns: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def signatures(self) -> dict[str, str]:
        known = f"{dangers(self.language)[1]}|{signature(Profile.METRIC, self.language)}"
        return dict.fromkeys(self.columns, f"refs:0+question|{known}|{RATE}|{LOWER_IS_BETTER}|version:3")

    def score(self, answers: Answers) -> dict[str, Scores]:
        read = danger_reader(self.language).broken
        questions = answers.questions or [""] * len(answers)
        return {
            name: 100.0
            * np.array(
                [bool(read(name, *pair)) for pair in zip(answers.predictions, questions, strict=True)], float
            )
            for name in self.columns
        }

    def explain(self, column: str, answers: Answers, row: int) -> list[Finding]:
        """The words of the rules that a row breaks."""
        answer, question = answers.predictions[row], answers.questions[row] if answers.questions else ""
        broken = danger_reader(self.language).broken(column, answer, question)
        return [finding for each in broken for finding in each.findings(answer, question, self.language)]
