"""Labels that people gave in files of their own, as a severity source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...statistics.dawid_skene import majority_shares
from ..people.people import People
from .base import NO_SCALE, Labels, Probabilities


class PeopleSource:
    """What was settled on among annotators, else the shares of their votes; unknown where nobody labelled.

    A complaint is known by its text, so that equal complaints have the votes of all of their rows.
    """

    name = "people"
    keeps_expert_labels = False
    scale = NO_SCALE

    def __init__(self, people: People, version: str) -> None:
        self.people, self.version, self.sha256 = people, version, people.sha256
        shares = majority_shares(people.ranks, 3)
        shares = np.where(people.settled[:, None] >= 0, np.eye(3)[people.settled], shares)
        # The most urgent level that an annotator gave, among those of the class that follows.
        classes = 2 - shares[:, ::-1].argmax(axis=1)
        agreeing = (people.ranks == classes[:, None]) & (people.levels > 0)
        levels = np.where(agreeing, people.levels, 9).min(axis=1)
        rows_of: dict[str, list[int]] = {}
        for place, text in enumerate(people.questions):
            rows_of.setdefault(text, []).append(place)
        self._known = {
            text: (shares[rows].mean(axis=0), int(levels[rows].min()) % 9) for text, rows in rows_of.items()
        }

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Shares of votes, shape (n, 3); NaN where nobody labelled."""
        return self.labels(questions).probabilities

    def labels(self, questions: Sequence[str]) -> Labels:
        """As ``probabilities``, with the levels of triage that annotators gave."""
        none = (np.full(3, np.nan), 0)
        found = [self._known.get(question, none) for question in questions]
        probabilities = np.array([shares for shares, _ in found]).reshape(-1, 3)
        return Labels(probabilities, np.array([level for _, level in found], np.int8), [""] * len(found))
