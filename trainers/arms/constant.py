"""The control ``constant``: whether it is the size of the weights that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...harness.severity import Weights
from .base import Arm, Floats, Needs, arm
from .severity import severity_weights

if TYPE_CHECKING:
    import pandas as pd


@arm("constant")
class Constant(Arm):
    """Control: every example has the mean of the severity weights."""

    uses = Needs.SCHEME | Needs.PROBABILITIES
    even = True

    def weights(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats:
        return np.full(len(rows), severity_weights(rows, scheme).mean())
