"""The arm ``curriculum``."""

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
    out.
    """

    uses = Needs.SEVERITIES

    def stages(self, rows: pd.DataFrame) -> list[Rows]:
        ranks = rows["severity"].map({str(severity): severity.rank for severity in SEVERITIES}).to_numpy()
        return [np.flatnonzero(ranks <= rank) for rank in range(3) if (ranks == rank).any()]
