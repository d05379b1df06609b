"""The control ``matched``: whether it is the severity, or the length or subject that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...harness.severity import Weights
from .base import Arm, Floats, Needs, arm
from .severity import severity_weights

if TYPE_CHECKING:
    import pandas as pd

_BANDS = (0.25, 0.5, 0.75)


@arm("matched")
class Matched(Arm):
    """Control: the severity weights in random order among rows of one category and like length of answer.

    Lengths are alike within a quarter of all rows by the characters of the answer. A row that has no other of its
    category and quarter keeps its weight.
    """

    uses = Needs.SCHEME | Needs.PROBABILITIES

    def weights(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats:
        weights, rng = severity_weights(rows, scheme), np.random.default_rng([seed, len(rows)])
        lengths = rows["answer"].str.len().to_numpy()
        band = np.searchsorted(np.quantile(lengths, _BANDS), lengths)
        for places in rows.groupby([rows["category"].fillna(""), band]).indices.values():
            weights[places] = rng.permutation(weights[places])
        return weights
