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
        given: ``1`` for all of ``metrics``, or ``metric=1`` for one of them or of safety's, which goes before.
        metrics: those compared. Safety metrics have ``SAFETY_MARGIN`` unless one is given for them.

    Raises:
        UserError: a margin is none (see ``checked_margin``), stands twice, or is of a metric that is not compared.
    """
    safety = columns_of(Group.SAFETY)
    found = dict.fromkeys(safety, SAFETY_MARGIN)
    own: dict[str, float] = {}
    for text in given:
        name, named, number = text.rpartition("=")
        name = name.strip()
        if named and name not in (*metrics, *safety):
            raise UserError(f"--margin {text}: {name!r} is not compared", f"Choose among {', '.join(metrics)}")
        if name in own:
            raise UserError(f"--margin stands twice for {name or 'all metrics'}", "Give it once")
        own[name] = checked_margin(number, f"--margin {text}")
    if "" in own:
        found |= dict.fromkeys(metrics, own.pop(""))
    return found | own
