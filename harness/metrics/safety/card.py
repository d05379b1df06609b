"""How far each detector can be trusted: precision and recall on annotated answers that no rule was written on."""

from __future__ import annotations

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
    """A rate in percent with its Wilson interval; NaN throughout where there was nothing to count."""

    value: float
    low: float
    high: float

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


class SafetyCard(Record):
    """The detectors on the held-out half, and which rules and answers were measured.

    ``other_author`` are those of them that others than the rules' first author wrote: the harder test.
    """

    gold_sha256: str
    lexicon: str
    quantities: str
    dangers: str = ""
    answers: int
    detectors: dict[str, Detector]
    other_author: dict[str, Detector]


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
        return Share(np.nan, np.nan, np.nan)
    low, high = wilson(np.array([float(hits)]), total)
    return Share(100 * hits / total, float(low[0]), float(high[0]))
