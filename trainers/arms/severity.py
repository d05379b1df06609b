"""The arm ``severity``, the one that is put to the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...harness.severity import Weights
from .base import Arm, Floats, Needs, arm, probabilities

if TYPE_CHECKING:
    import pandas as pd


def severity_weights(rows: pd.DataFrame, scheme: Weights) -> Floats:
    """``w = α·p_nc + β·p_n + γ·p_c`` of each row, shape (n,) (arXiv 2604.06346)."""
    return scheme.of(probabilities(rows))


@arm("severity")
class Severity(Arm):
    """Each example weighted by the severity that is expected of it."""

    uses = Needs.SCHEME | Needs.PROBABILITIES

    def weights(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats:
        return severity_weights(rows, scheme)
