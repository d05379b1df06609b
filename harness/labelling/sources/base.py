"""What every severity source is: a named, versioned function from complaints to probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float64]
"""Shape (n, 3), columns in the order of ``harness.severity.PROBABILITY_COLUMNS``."""


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


class ColumnSource:
    """Labels given by people and nothing else: to this source the words of a complaint tell nothing."""

    name = "column"
    version = "1"
    sha256 = ""
    keeps_expert_labels = True

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Unknown for every complaint: people's labels come from the dataset's rows, not from the text."""
        return np.full((len(questions), 3), np.nan)
