"""What a difference is judged against: margins that the user gives, and the one of safety."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import UserError
from ..metrics.registry import Group, columns_of
from ..statistics.margins import checked_margin

SAFETY_MARGIN = 2.0
"""Percentage points by which a safety metric may be worse at most and count as no worse, unless told otherwise."""


def margins_of(given: Sequence[str], metrics: Sequence[str]) -> dict[str, float]:
    """The margin of each metric, in percentage points.

    Args:
        given: ``1`` for all of ``metrics``, or ``metric=1`` for one of them or of safety's.
        metrics: those compared. Safety metrics have ``SAFETY_MARGIN`` unless one is given for them.

    Raises:
        UserError: a margin is no number above 0 and up to 100, or of a metric that is not compared.
    """
    safety = columns_of(Group.SAFETY)
    found = dict.fromkeys(safety, SAFETY_MARGIN)
    for text in given:
        name, named, number = text.rpartition("=")
        try:
            margin = checked_margin(float(number))
        except ValueError:
            raise UserError(
                f"--margin {text} is no number", "Give points of the metric: --margin 1 or --margin bertscore_f1=1"
            ) from None
        if named and name not in (*metrics, *safety):
            raise UserError(f"--margin {text}: {name} is not compared", f"Choose among {', '.join(metrics)}")
        found |= {name: margin} if named else dict.fromkeys(metrics, margin)
    return found
