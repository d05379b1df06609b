"""chrF++: character n-grams and words, robust to Arabic morphology."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from ..languages import Language
from ..languages.text import Profile, normalise, signature
from .base import Answers, Scores
from .registry import WORDLESS, Group, metric


def _sacrebleu() -> CHRF:
    return CHRF(word_order=2)


@metric(Group.SIMILARITY, meaning={"chrf": "chrF++: shared character n-grams and words"})
@dataclass(frozen=True)
class Chrf:
    """sacrebleu's sentence chrF++ (character order 6, word order 2) on normalised text: a percentage per answer."""

    language: Language
    metric: CHRF = field(default_factory=_sacrebleu, init=False, repr=False, compare=False)

    columns = ("chrf",)

    @cached_property
    def signatures(self) -> dict[str, str]:
        self.metric.num_refs = 1
        norm = signature(Profile.METRIC, self.language)
        return {"chrf": f"metric:chrF++|{self.metric.get_signature().format()}|{norm}|{WORDLESS}"}

    def score(self, answers: Answers) -> dict[str, Scores]:
        pairs = zip(answers.predictions, answers.references, strict=True)
        scores = [self._sentence(prediction, reference) for prediction, reference in pairs]
        return {"chrf": np.clip(np.array(scores, dtype=np.float64), 0, 100)}

    def _sentence(self, prediction: str, reference: str) -> float:
        texts = [normalise(text, Profile.METRIC, self.language) for text in (prediction, reference)]
        return float(self.metric.sentence_score(texts[0], texts[1:]).score)
