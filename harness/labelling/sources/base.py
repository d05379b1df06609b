"""What every severity source is: a named, versioned function from complaints to probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float64]
"""Shape (n, 3), columns in the order of ``harness.severity.PROBABILITY_COLUMNS``."""


NO_SCALE = "none"
BY_PEOPLE = ("column", "people")
"""Sources that pass on what people said: of the dataset's own column, and of files of labels. What they do not say
stays unlabelled."""


class Labels(NamedTuple):
    """What a source says of n complaints: probabilities, shape (n, 3), and why, where it can tell.

    ``levels``, shape (n,), are those of triage, 0 for none; ``discriminators`` are JSON lists of what fired
    (``id``, ``level``, ``words``), empty texts where the source names none.
    """

    probabilities: Probabilities
    levels: npt.NDArray[np.int8]
    discriminators: list[str]


class SeveritySource(Protocol):
    """Who decides the severity of a complaint.

    ``name``, ``version`` and ``sha256`` go into ``dataset.json`` and every run. ``keeps_expert_labels`` tells
    whether labels given by people override the source.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def keeps_expert_labels(self) -> bool: ...

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Probabilities of shape (n, 3); a row of NaN says that the source does not know.

        What is unknown gets the stated prior where a dataset is labelled, and is counted: never silently mild.
        """
        ...


@runtime_checkable
class ExplainingSource(SeveritySource, Protocol):
    """A source that says why. ``scale`` names the triage scale and its digest, or is ``none``."""

    @property
    def scale(self) -> str: ...

    def labels(self, questions: Sequence[str]) -> Labels:
        """Probabilities with the levels and the discriminators behind them."""
        ...


def labels_of(source: SeveritySource, questions: Sequence[str]) -> Labels:
    """What a source says, with reasons if it has any."""
    if isinstance(source, ExplainingSource):
        return source.labels(questions)
    rows = len(questions)
    return Labels(source.probabilities(questions), np.zeros(rows, np.int8), [""] * rows)


def scale_of(source: SeveritySource) -> str:
    """The triage scale behind a source's labels, ``none`` without one."""
    return source.scale if isinstance(source, ExplainingSource) else NO_SCALE


class ColumnSource:
    """Labels given by people and nothing else: to this source the words of a complaint tell nothing."""

    name = "column"
    version = "1"
    sha256 = ""
    keeps_expert_labels = True

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Unknown for every complaint: people's labels come from the dataset's rows, not from the text."""
        return np.full((len(questions), 3), np.nan)
