"""The control ``hard``: whether it takes probabilities, or labels would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...harness.severity import Weights
from .base import Arm, Floats, Needs, arm, probabilities

if TYPE_CHECKING:
    import pandas as pd


@arm("hard")
class Hard(Arm):
    """Control: the weight of the likeliest severity, ties going to the graver one."""

    uses = Needs.SCHEME | Needs.PROBABILITIES

    def weights(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats:
        likeliest = 2 - probabilities(rows)[:, ::-1].argmax(axis=1)
        return scheme.of(np.eye(3)[likeliest])
