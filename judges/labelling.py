"""A model as labeller: it reads the coding manual's short form and one complaint, and says a level of triage."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from ..harness.core.errors import UserError
from ..harness.core.files import sha256_text
from ..harness.generation.store.store import Store
from ..harness.labelling.sources.base import Labels, Probabilities
from ..harness.labelling.sources.combined import DOUBT
from ..harness.labelling.triage.manual import instructions, load_manual
from ..harness.languages import Language
from ..harness.languages.text import has_word
from ..harness.severity import CLASS_OF_LEVEL
from ..harness.statistics.dawid_skene import majority_shares
from .asked import Asked, Progress, Question
from .asking import Judge
from .parsing import read_level
from .prompt import fenced
from .words import judge_words

STORE = ".llm"
"""In the dataset's folder: a model's replies, by the digest of what it was asked."""
FORM = '{"level": 2, "evidence": "<quote>"}'
VERSION = 1
"""Rises with every change of what stands in a request beyond the words of the language."""


class LlmSource:
    """A severity source that asks a model, and keeps every reply: what is kept is not asked again.

    With several repeats their votes decide, and the share of equal ones is the confidence. A reply that cannot be
    read, or that the server refused, is no vote: a complaint without any is unknown.
    """

    name = "llm"
    keeps_expert_labels = False

    def __init__(
        self,
        judge: Judge,
        language: Language,
        store: Path,
        repeats: int = 1,
        retry_refused: bool = False,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._judge, self._language, self._repeats = judge, language, repeats
        self._told = instructions(language, FORM)
        manual = load_manual(language)
        self.version = f"{judge.name} by manual {language.code} {manual.version}"
        self.scale = f"manual {language.code} {manual.version}"
        self._identity = {
            "judge": judge.identity,
            "prompt": VERSION,
            "words": f"manual {language.code}-{manual.version}",
            "told": sha256_text(self._told),
        }
        kept = Store(store, self._identity)
        self.asked = Asked(judge, kept, judge_words(language.code), retry_refused, progress)

    @cached_property
    def sha256(self) -> str:
        """Digest of the model's identity, of what it is told, and of how often."""
        return sha256_text(json.dumps([self._identity, self._repeats], sort_keys=True, default=str))

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Shares of the votes, shape (n, 3); NaN where there is none."""
        return self.labels(questions).probabilities

    def labels(self, questions: Sequence[str]) -> Labels:
        """As ``probabilities``, with the median level of the decided class and the words that decided.

        Raises:
            UserError: the model cannot be asked, or left complaints without an answer; what it said is kept.
        """
        spoken = [text for text in dict.fromkeys(questions) if has_word(text, self._language)]
        silent = self.asked.failures["unanswered"]
        found = dict(
            zip(spoken, self.asked.ask([self._question(text) for text in spoken], self._repeats), strict=True)
        )
        if left := self.asked.failures["unanswered"] - silent:
            raise UserError(
                f"{self._judge.name} did not answer {left:,} times: {self.asked.examples['unanswered']}",
                "The same command asks again what was not answered; all else is kept",
            )
        if spoken and not any(word for words in found.values() for word in words):
            self.asked.demand_any()
        rows = [[word for word in found.get(text, []) if word is not None] for text in questions]
        ranks = np.full((len(questions), max(1, self._repeats)), -1)
        for row, words in enumerate(rows):
            for place, (level, _) in enumerate(words):
                ranks[row, place] = CLASS_OF_LEVEL[level].rank if level else -1
        probabilities = majority_shares(ranks, 3, DOUBT)
        levels, reasons = np.zeros(len(questions), np.int8), [""] * len(questions)
        for row, words in enumerate(rows):
            if np.isnan(probabilities[row]).any():
                continue
            rank = 2 - int(probabilities[row, ::-1].argmax())
            mine = sorted(word for word in words if word[0] and CLASS_OF_LEVEL[word[0]].rank == rank)
            levels[row], quote = mine[(len(mine) - 1) // 2]
            reason = {"id": self.name, "level": int(levels[row]), "words": [quote] if quote else []}
            reasons[row] = json.dumps([reason], ensure_ascii=False)
        return Labels(probabilities, levels, reasons)

    def _question(self, text: str) -> Question[tuple[int, str]]:
        messages = [
            {"role": "system", "content": self._told},
            {"role": "user", "content": fenced({"complaint": text})},
        ]
        read: Callable[[str], tuple[int, str]] = partial(read_level, complaint=text, spoken=self._language)
        return Question(sha256_text(text)[:16], "", messages, read)
