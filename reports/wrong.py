"""What each detector and each quality metric calls wrong of a run's answers, and what became of it in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..harness.metrics.registry import Group, columns_of
from ..harness.runs.run import Run
from ..harness.scores.signatures import Better, better
from ..harness.statistics.exact import mcnemar
from ..harness.statistics.intervals import agreeing, newcombe
from ..harness.statistics.verdicts import ALPHA

LOWEST = 25.0
"""Percent of both runs' scores of a quality metric below which an answer is called low."""
_LOW = "low:"
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wrong:
    """One way to be wrong: a detector's column, or a score among the lowest of a quality metric.

    Attributes:
        name: the column; ``low:`` stands before a quality metric's.
        below: the score below which an answer is low; None for a detector.
        flagged, applies: per run, of each question of the first run in its order.
    """

    name: str
    below: float | None
    flagged: tuple[Flags, ...]
    applies: tuple[Flags, ...]

    @property
    def column(self) -> str:
        """The scores' column."""
        return self.name.removeprefix(_LOW)


@dataclass(frozen=True)
class Fate:
    """Errors of the other run (the second) that this one fixed, and those that it made, over the n questions that
    both apply to.

    ``change`` is this run's share of wrong answers minus the other's, in points, with Newcombe's interval; ``p`` is
    McNemar's, exact. ``screening`` says why the detector is for screening only; empty where it is not.
    """

    name: str
    column: str
    below: float | None
    n: int
    fixed: int
    introduced: int
    still_wrong: int
    still_right: int
    change: float
    low: float
    high: float
    p: float
    screening: str


def wrongs(runs: Sequence[Run], beside: Sequence[Run] = ()) -> list[Wrong]:
    """Every way to be wrong that all runs have scores of.

    Runs that only stand ``beside`` these come last and do not say what is low; what they have no scores of applies
    to none of their answers.

    Detectors are those whose less is better: of the others the absence is a detector of its own. Of a mean over
    several answers an answer is wrong from half of them on.
    """
    ids = runs[0].answers["id"].tolist()
    frames = [run.scores.frame.set_index("id").loc[ids] for run in (*runs, *beside)]
    found = []
    for column in columns_of(Group.PRESENCE, Group.SAFETY):
        signed = [run.scores.signatures.get(column) for run in runs if column in run.scores.metrics]
        if len(signed) < len(runs) or better(signed[0] or "") is not Better.LOWER:
            continue
        values = _values(frames, column)
        bad = tuple(each >= 50.0 for each in values)
        found.append(Wrong(column, None, bad, tuple(~np.isnan(each) for each in values)))
    for column in columns_of(Group.SIMILARITY):
        if any(column not in run.scores.metrics for run in runs):
            continue
        values = _values(frames, column)
        known = np.concatenate(values[: len(runs)])
        known = known[~np.isnan(known)]
        if not len(known):
            continue
        below = float(np.percentile(known, LOWEST))
        found.append(
            Wrong(
                _LOW + column,
                below,
                tuple(each < below for each in values),
                tuple(~np.isnan(each) for each in values),
            )
        )
    return found


def _values(frames: Sequence[pd.DataFrame], column: str) -> list[Floats]:
    nothing = pd.Series(np.nan, index=frames[0].index)
    return [np.asarray(frame.get(column, nothing), dtype=np.float64) for frame in frames]


def fates(found: Sequence[Wrong], screened: Mapping[str, str]) -> list[Fate]:
    """What became of each error between the second run and the first."""
    return [
        _fate(each, screened.get(each.column, "")) for each in found if (each.applies[0] & each.applies[1]).any()
    ]


def _fate(wrong: Wrong, screening: str) -> Fate:
    both = wrong.applies[0] & wrong.applies[1]
    ours, theirs = wrong.flagged[0][both], wrong.flagged[1][both]
    still, fixed = int((ours & theirs).sum()), int((~ours & theirs).sum())
    introduced, right = int((ours & ~theirs).sum()), int((~ours & ~theirs).sum())
    n = len(ours)
    change = 100.0 * (introduced - fixed) / n
    p = mcnemar(fixed, introduced)
    cells = np.array([[still], [fixed], [introduced], [right]], dtype=np.float64)
    ends = newcombe(cells[0], cells[1], cells[2], cells[3])
    low, high = agreeing(ends, np.array([change]), np.array([p]), ALPHA)
    return Fate(
        wrong.name, wrong.column, wrong.below, n, fixed, introduced, still, right,
        change, float(low[0]), float(high[0]), p, screening,
    )  # fmt: skip
