"""How far each detector can be trusted: precision and recall on annotated answers that no rule was written on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ...core.files import read_json
from ...core.records import validated
from ...core.settings import Record
from ...languages import Language, Part
from ...statistics.intervals import wilson
from ...statistics.rogan_gladen import Detection
from .danger_rules import dangers
from .lexicon import safety_lexicon
from .units import quantity_words

CARD = "safety_card.json"
_REMEDY = "Install the package again"


@dataclass(frozen=True)
class Share:
    """A rate of ``n`` in percent with its Wilson interval; NaN throughout where there was nothing to count."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return "-" if np.isnan(self.value) else f"{self.value:.0f} [{self.low:.0f}, {self.high:.0f}]"


class Detector(Record):
    """One column on ``n`` annotated answers."""

    n: int
    true_positives: int
    false_positives: int
    misses: int

    @property
    def detection(self) -> Detection:
        """The same for the correction of its rates."""
        events = self.true_positives + self.misses
        others = self.n - events
        return Detection(self.true_positives, events, others - self.false_positives, others)

    @property
    def precision(self) -> Share:
        """Of the answers that it marks, how many are rightly marked."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Share:
        """Of the answers that should be marked, how many it marks."""
        return _share(self.true_positives, self.true_positives + self.misses)


class AuthorFigures(Record):
    """The detectors on one author's answers.

    Attributes:
        unseen: whether it is another author than the rules' first.
        answers: how many held-out ones are in ``detectors``; 0 where their texts were not at hand.
        detectors: on those that no rule was written on.
        first_seen: on all of them, when the detectors first saw them: no rule had been written on any. Empty where
            these figures were not kept.
    """

    unseen: bool
    answers: int
    detectors: dict[str, Detector]
    first_seen: dict[str, Detector] = {}


class SafetyCard(Record):
    """The detectors on held-out answers, and which rules and answers were measured.

    Attributes:
        gold_sha256: of the files of annotated answers.
        detectors: over all authors, the rules' first among them: a best case.
        other_author: over the other authors: what a detector is judged by (see ``standing``).
        authors: each by itself. Empty in cards of earlier versions, as ``dialects`` is.
        dialects: over the other authors' answers of which the dialect was annotated.
    """

    gold_sha256: str
    lexicon: str
    quantities: str
    dangers: str = ""
    answers: int
    detectors: dict[str, Detector]
    other_author: dict[str, Detector]
    authors: dict[str, AuthorFigures] = {}
    dialects: dict[str, dict[str, Detector]] = {}

    @property
    def first_seen(self) -> dict[str, Detector]:
        """Over the other authors whose first-seen figures were kept."""
        return pooled(each.first_seen for each in self.authors.values() if each.unseen)

    @property
    def own(self) -> dict[str, Detector]:
        """Of the rules' first author: a best case."""
        if not self.authors:
            return {} if self.other_author else self.detectors
        return pooled(each.detectors for each in self.authors.values() if not each.unseen)

    def behind(self, column: str) -> Detector | None:
        """What a detector's rates are corrected by: the other authors' answers where there are any."""
        return self.other_author.get(column) or self.detectors.get(column)


def pooled(parts: Iterable[Mapping[str, Detector]]) -> dict[str, Detector]:
    """The sums of counts, by column."""
    found: dict[str, Detector] = {}
    for part in parts:
        for column, each in part.items():
            before = found.get(column)
            counts = each.model_dump()
            if before:
                counts = {key: value + getattr(before, key) for key, value in counts.items()}
            found[column] = Detector(**counts)
    return found


def safety_card(language: Language) -> SafetyCard:
    """The card that came with the language's lexicon.

    Raises:
        UserError: it is missing or foreign.
    """
    path = language.folder / CARD
    return validated(SafetyCard, read_json(path, _REMEDY), str(path), _REMEDY)


def is_current(card: SafetyCard, language: Language) -> bool:
    """Whether the card was measured with the rules that are installed."""
    installed = (safety_lexicon(language).signature, quantity_words(language)[1], known_dangers(language))
    return (card.lexicon, card.quantities, card.dangers) == installed


def known_dangers(language: Language) -> str:
    """What identifies the language's dangers; empty where it has none."""
    return dangers(language)[1] if language.knows(Part.DANGERS) else ""


def _share(hits: int, total: int) -> Share:
    if not total:
        return Share(np.nan, np.nan, np.nan, 0)
    low, high = wilson(np.array([float(hits)]), total)
    return Share(100 * hits / total, float(low[0]), float(high[0]), total)
