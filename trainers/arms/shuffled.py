"""The control ``shuffled``: whether it matters which example has which weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...harness.severity import Weights
from .base import Arm, Floats, Needs, arm
from .severity import severity_weights

if TYPE_CHECKING:
    import pandas as pd


@arm("shuffled")
class Shuffled(Arm):
    """Control: the severity weights in random order."""

    uses = Needs.SCHEME | Needs.PROBABILITIES

    def weights(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats:
        return np.random.default_rng([seed, len(rows)]).permutation(severity_weights(rows, scheme))
