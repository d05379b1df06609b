"""How much a training shows of each severity: how often, at which learning rates, and under which weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...harness.core.settings import Record
from ...harness.severity import Severity
from .order import BLANK, Rows
from .plan import Plan

UNKNOWN_RANK = 3
"""Severity rank of an example without one."""

RANK_NAMES = {severity.rank: str(severity) for severity in Severity} | {UNKNOWN_RANK: "unlabelled"}


class Exposure(Record):
    """Of the ``rows`` of one severity, in the mean over them: how often a row is shown (``presentations``), the sum
    of the learning rates at which it is shown (``rate``), and that sum with each rate times the row's weight in the
    loss (``weight_rate``). Both sums are in units of the settings' ``learning_rate``."""

    rows: int
    presentations: float
    rate: float
    weight_rate: float


def exposures(
    plan: Plan, weights: npt.NDArray[np.float64], ranks: Rows, learning_rate: float
) -> dict[str, Exposure]:
    """The exposure of each severity that has rows, by its name.

    Args:
        weights: as they enter the loss, shape (n,).
        ranks: severity ranks of the rows, shape (n,), ``UNKNOWN_RANK`` for those without.
        learning_rate: the unit of the sums.
    """
    shown = plan.order != BLANK
    rows = plan.order[shown]
    rate = np.repeat(plan.rates, plan.effective_batch)[shown] / learning_rate
    found = {}
    for rank, name in sorted(RANK_NAMES.items(), reverse=True):
        count = int((ranks == rank).sum())
        if count:
            own = ranks[rows] == rank
            found[name] = Exposure(
                rows=count,
                presentations=float(own.sum() / count),
                rate=float(rate[own].sum() / count),
                weight_rate=float((rate[own] * weights[rows[own]]).sum() / count),
            )
    return found
