"""Several sources as one: by majority, or by what their agreement says of each one's errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np

from ...core.files import sha256_text
from ...data.labels import most_likely
from ...languages import Language
from ...statistics.agreement import Codes
from ...statistics.dawid_skene import Errors, dawid_skene, majority_shares
from ..prior import without_letters
from .base import NO_SCALE, ExplainingSource, Labels, Probabilities, SeveritySource, scale_of
from .decisions import called

BATCH = 4096
DOUBT = 0.1
"""Votes for every class that nobody gave: a machine's majority is never certain."""
_LEFT = 1e-6


class Method(StrEnum):
    """How sources are combined."""

    MAJORITY = "majority"
    DAWID_SKENE = "dawid-skene"


class Votes:
    """What each of several sources says of complaints, asked once for each text.

    Args:
        progress: called with the number of complaints that were asked about since the last call.
    """

    def __init__(
        self,
        sources: Sequence[SeveritySource],
        language: Language,
        progress: Callable[[int], None] = lambda n: None,
    ) -> None:
        self.sources, self._language, self._progress = list(sources), language, progress
        self._at: dict[str, int] = {}
        self._codes: list[Codes] = []

    def of(self, questions: Sequence[str]) -> Codes:
        """The rank of each source's most probable class, shape (n, sources); -1 where it does not know."""
        new = [text for text in dict.fromkeys(questions) if text not in self._at]
        for start in range(0, len(new), BATCH):
            some = new[start : start + BATCH]
            self._at.update({text: len(self._at) + place for place, text in enumerate(some)})
            self._codes.append(np.column_stack([_ranks(source, some, self._language) for source in self.sources]))
            self._progress(len(some))
        whole = np.concatenate(self._codes) if self._codes else np.empty((0, len(self.sources)), np.int64)
        self._codes = [whole]
        return whole[[self._at[text] for text in questions]]


def _ranks(source: SeveritySource, questions: Sequence[str], language: Language) -> Codes:
    probabilities = np.array(source.probabilities(questions), dtype=np.float64)
    silent = np.isnan(probabilities).any(axis=1) | without_letters(questions, language)
    ranks: Codes = np.where(silent, -1, called(source, np.nan_to_num(probabilities), silent)).astype(np.int64)
    return ranks


class CombinedSource:
    """Sources over which a majority decides, or the errors that Dawid and Skene's EM finds in their votes.

    These errors are learnt from the votes on all complaints of a dataset, without any true label. Levels and
    discriminators are those of the first source that gives any for the class that was decided.
    """

    keeps_expert_labels = False

    def __init__(self, method: Method, votes: Votes, questions: Sequence[str]) -> None:
        self.method, self.votes = method, votes
        self.errors: Errors | None = None
        if method is Method.DAWID_SKENE:
            self.errors = dawid_skene(votes.of(list(dict.fromkeys(questions))), 3)

    @property
    def sources(self) -> list[SeveritySource]:
        """The parts."""
        return self.votes.sources

    @property
    def name(self) -> str:
        """The method."""
        return str(self.method)

    @property
    def version(self) -> str:
        """The parts with their versions."""
        return "1 over " + ", ".join(f"{each.name} {each.version}" for each in self.sources)

    @property
    def sha256(self) -> str:
        """Digest of the parts, and of the errors that were found."""
        learnt = "" if self.errors is None else repr(np.round(self.errors.confusion, 6).tolist())
        return sha256_text("".join([self.method, *(f"{each.name}{each.sha256}" for each in self.sources), learnt]))

    @property
    def scale(self) -> str:
        """The triage scale of the first part that has one."""
        scales = [scale_of(each) for each in self.sources]
        return next((scale for scale in scales if scale != NO_SCALE), NO_SCALE)

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Probabilities of shape (n, 3); NaN where no source knows anything."""
        codes = self.votes.of(questions)
        if self.errors is not None:
            # Not quite certain, however many agree: only people are.
            return (1 - _LEFT) * self.errors.posterior(codes) + _LEFT / 3
        return majority_shares(codes, 3, DOUBT)

    def labels(self, questions: Sequence[str]) -> Labels:
        """As ``probabilities``, with levels and discriminators."""
        probabilities = self.probabilities(questions)
        ranks = most_likely(np.nan_to_num(probabilities))
        levels, reasons = np.zeros(len(questions), np.int8), [""] * len(questions)
        for source in self.sources:
            if not isinstance(source, ExplainingSource):
                continue
            found = source.labels(questions)
            agrees = most_likely(np.nan_to_num(found.probabilities)) == ranks
            for place in np.flatnonzero((found.levels > 0) & agrees & (levels == 0)).tolist():
                levels[place], reasons[place] = found.levels[place], found.discriminators[place]
        return Labels(probabilities, levels, reasons)
