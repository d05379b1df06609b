"""The control ``paced``: whether it is the length of the steps that weights make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...harness.severity import Weights
from .base import Arm, Floats, Needs, arm
from .severity import severity_weights

if TYPE_CHECKING:
    import pandas as pd


@arm("paced")
class Paced(Arm):
    """Control: plain cross-entropy at the learning rate whose updates are as long as under the severity weights."""

    uses = Needs.SCHEME | Needs.PROBABILITIES
    even = True

    def paced_by(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats:
        return severity_weights(rows, scheme)
