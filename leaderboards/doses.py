"""Whether a stronger weighting has a stronger effect, base by base of a board."""

from __future__ import annotations

from collections.abc import Sequence

from ..harness.runs.arms import key_of_base, names_of_bases
from ..harness.runs.dose import doses_of
from ..harness.runs.run import Run
from .claims import arms_by_base
from .records import DoseRow


def board_doses(runs: Sequence[Run], metric: str) -> list[DoseRow]:
    """Every arm's effect against the strength of its weights, over all answers and over critical ones; none of a
    base with too few schemes. The runs must be comparable."""
    names = names_of_bases(runs)
    return [
        DoseRow(
            base=names[key_of_base(next(iter(arms.values())).base)] if len(names) > 1 else "",
            stratum=dose.stratum,
            doses=dose.doses,
            slope=dose.slope,
            low=dose.low,
            high=dose.high,
            p=dose.p,
            words=str(dose),
        )
        for arms in arms_by_base(runs)
        for dose in doses_of(arms, [metric])
    ]
