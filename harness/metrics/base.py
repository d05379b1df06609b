"""What a metric is given and what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..scores.findings import Finding
from ..severity import Severity

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """n answers to be scored, row by row. ``questions`` and ``severities`` are absent where nobody knows them.

    ``references`` holds one of each question, the first; ``all_references`` all of them, where some have several.
    """

    predictions: Sequence[str]
    references: Sequence[str]
    questions: Sequence[str] | None = None
    severities: Sequence[Severity] | None = None
    all_references: Sequence[Sequence[str] | None] | None = None

    def __len__(self) -> int:
        return len(self.predictions)


class Metric(Protocol):
    """Scores answers in one batch, independent of their order and of each other.

    ``columns`` names what it returns; ``signatures`` says for each how it came about (references, normalisation,
    tokenizer, model, version).
    """

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def signatures(self) -> dict[str, str]: ...

    def score(self, answers: Answers) -> dict[str, Scores]:
        """One array of shape (n,) per column, percentages in [0, 100]; NaN where the metric does not apply."""
        ...


@runtime_checkable
class HoldsEncoder(Protocol):
    """A metric that keeps a network in memory between its uses."""

    def release_encoder(self) -> None:
        """Give its memory back; the next use loads it again."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A detector that can show the words it found. It is asked only for rows that it marked with 100."""

    def explain(self, column: str, answers: Answers, row: int) -> list[Finding]:
        """What made ``column`` mark the row, in reading order."""
        ...
