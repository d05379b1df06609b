"""The arm ``curriculum`` and its controls: whether it is the severities that its stages follow, and the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...harness.severity import SEVERITIES
from .base import Arm, Needs, Rows, arm

if TYPE_CHECKING:
    import pandas as pd


@arm("curriculum")
class Curriculum(Arm):
    """No weights; stages from non-critical examples to all of them.

    Cumulative (arXiv 2604.06365): non-critical, then neutral as well, then all; a stage that adds nothing is left
    out. With ``curriculum`` in the settings each stage has the epochs and the learning rate that it says.
    """

    uses = Needs.SEVERITIES

    def levels(self, rows: pd.DataFrame, seed: int) -> Rows:
        ranks = {str(severity): severity.rank for severity in SEVERITIES}
        return np.array(rows["severity"].map(ranks), np.int64)


@arm("permuted")
class Permuted(Curriculum):
    """Control: the curriculum with the severities in random order."""

    def levels(self, rows: pd.DataFrame, seed: int) -> Rows:
        return np.random.default_rng([seed, len(rows)]).permutation(super().levels(rows, seed))


@arm("unordered")
class Unordered(Curriculum):
    """Control: plain cross-entropy, in random order, each severity as much as in the curriculum."""

    ordered = False
