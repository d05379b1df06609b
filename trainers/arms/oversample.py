"""The arm ``oversample``: whether a row may as well be shown more often instead of weighing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...harness.severity import Weights
from .base import Arm, Floats, Needs, arm
from .severity import severity_weights

if TYPE_CHECKING:
    import pandas as pd


@arm("oversample")
class Oversample(Arm):
    """Each row shown in proportion to its severity weight, under plain cross-entropy, in as many steps."""

    uses = Needs.SCHEME | Needs.PROBABILITIES
    even = True

    def shares(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats:
        return severity_weights(rows, scheme)
