"""The classifier, overridden by the rules where a red flag stands; people's labels override both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.files import sha256_text
from .base import Labels, Probabilities, SeveritySource
from .decisions import Costs, costs_of
from .rules import RulesSource


class HybridSource:
    """A classifier for what is common, rules for what must not be missed, people where they spoke."""

    name = "hybrid"
    keeps_expert_labels = True

    def __init__(self, rules: RulesSource, classifier: SeveritySource) -> None:
        self.rules = rules
        self.classifier = classifier

    @property
    def version(self) -> str:
        """Both parts' versions."""
        return f"rules {self.rules.version} over {self.classifier.version}"

    @property
    def sha256(self) -> str:
        """Digest of both parts' digests."""
        return sha256_text(f"{self.rules.sha256}{self.classifier.sha256}")

    @property
    def scale(self) -> str:
        """The triage scale of the rules."""
        return self.rules.scale

    @property
    def costs(self) -> Costs | None:
        """The classifier's. A red flag stays critical: under-triage never costs less than over-triage."""
        return costs_of(self.classifier)

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """The rules' probabilities where a red flag stands, else the classifier's, shape (n, 3)."""
        return self.labels(questions).probabilities

    def labels(self, questions: Sequence[str]) -> Labels:
        """As ``probabilities``, with the rules' levels and discriminators where they decide."""
        result = np.array(self.classifier.probabilities(questions))
        levels, discriminators = np.zeros(len(questions), np.int8), [""] * len(questions)
        flagged = np.flatnonzero(self.rules.red_flags(questions)).tolist()
        found = self.rules.labels([questions[at] for at in flagged])
        result[flagged], levels[flagged] = found.probabilities, found.levels
        for at, text in zip(flagged, found.discriminators, strict=True):
            discriminators[at] = text
        return Labels(result, levels, discriminators)
