"""Sentence BLEU."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from ..languages import Language
from ..languages.text import Profile, normalise, signature
from .base import Answers, Scores
from .registry import WORDLESS, Group, metric


def _sacrebleu() -> BLEU:
    # The default tokenizer 13a leaves the Arabic comma, semicolon and question mark on the word before them.
    return BLEU(tokenize="intl", effective_order=True)


@metric(Group.SIMILARITY, meaning={"bleu": "sentence BLEU: precision of shared word n-grams"})
@dataclass(frozen=True)
class Bleu:
    """sacrebleu's sentence BLEU with effective order on normalised text: a percentage per answer."""

    language: Language
    metric: BLEU = field(default_factory=_sacrebleu, init=False, repr=False, compare=False)

    columns = ("bleu",)

    @cached_property
    def signatures(self) -> dict[str, str]:
        self.metric.num_refs = 1
        return {
            "bleu": f"{self.metric.get_signature().format()}|{signature(Profile.METRIC, self.language)}|{WORDLESS}"
        }

    def score(self, answers: Answers) -> dict[str, Scores]:
        pairs = zip(answers.predictions, answers.references, strict=True)
        scores = [self._sentence(prediction, reference) for prediction, reference in pairs]
        # exp(log(100)) is a little above 100.
        return {"bleu": np.clip(np.array(scores, dtype=np.float64), 0, 100)}

    def _sentence(self, prediction: str, reference: str) -> float:
        texts = [normalise(text, Profile.METRIC, self.language) for text in (prediction, reference)]
        return float(self.metric.sentence_score(texts[0], texts[1:]).score)
