"""Systems that understand nothing, so that every board can show its floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ...core.errors import UserError
from ...data.dataset import open_dataset
from ...languages.text import Profile, normalise
from ..config import GenerationConfig
from ..records import FinishReason, Generated, Prompt


class TrivialEngine:
    """Answers by repeating the question (``echo``), by one fixed referral (``constant``), or by the training answer
    whose question is most similar (``nearest``: TF-IDF of character 3- to 5-grams within words, cosine)."""

    def __init__(self, config: GenerationConfig) -> None:
        # A chunk of `nearest` compares all its questions with all training questions at once.
        self.max_prompts = 32
        self.max_tokens: int | None = None
        self.defaults: dict[str, object] = {}
        self._answer = config.answer or ""
        if config.kind == "nearest":
            self._index(config)
        systems: dict[str, Callable[[Sequence[str]], list[str]]] = {
            "echo": list,
            "constant": self._constant,
            "nearest": self._nearest,
        }
        self._answers_to = systems[str(config.kind)]

    def lengths(self, prompts: Sequence[Prompt]) -> list[int]:
        """Words of each prompt."""
        return [len(prompt.text.split()) for prompt in prompts]

    def generate(self, prompts: Sequence[Prompt]) -> list[Generated]:
        """One answer per prompt."""
        start = time.perf_counter()
        texts = self._answers_to([prompt.question for prompt in prompts])
        seconds = (time.perf_counter() - start) / len(prompts)
        return [
            Generated(text, FinishReason.STOP, length, len(text.split()), seconds)
            for text, length in zip(texts, self.lengths(prompts), strict=True)
        ]

    def release(self) -> None:
        """Nothing to free."""

    def _index(self, config: GenerationConfig) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        if config.data is None:
            raise UserError("`nearest` needs training answers", "Give the dataset with --data DATASET")
        dataset = open_dataset(config.data)
        self._language = dataset.language
        train = dataset.split("train")
        if train.empty:
            raise UserError(f"{config.data} has no training row", "Prepare a dataset with a training split")
        self._answers = train["answer"].tolist()
        self._vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        self._questions = self._vectorizer.fit_transform([self._comparable(q) for q in train["question"]])

    def _constant(self, questions: Sequence[str]) -> list[str]:
        return [self._answer] * len(questions)

    def _nearest(self, questions: Sequence[str]) -> list[str]:
        asked = self._vectorizer.transform([self._comparable(question) for question in questions])
        # argmax takes the first of equals: the order of the training rows settles ties.
        best = (asked @ self._questions.T).toarray().argmax(axis=1)
        return [self._answers[index] for index in best]

    def _comparable(self, question: str) -> str:
        return normalise(question, Profile.METRIC, self._language)
