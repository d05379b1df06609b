"""From verdicts to scores: the points of what is met, of those that could be earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..harness.severity import Severity
from .parsing import Better, Verdict
from .rubric import Rubric

Verdicts = Mapping[str, tuple[Verdict, str]]
_HALF = 50.0


def score(rubric: Rubric, severity: str, verdicts: Verdicts) -> float:
    """Percent of the points that can be earned at this severity, cut to 0 to 100.

    A verdict whose quotation does not stand in the answer is not counted, whether it would earn or cost points.
    """
    earned = sum(
        each.points[Severity(severity)]
        for each in rubric.of(severity)
        if each.id in verdicts and verdicts[each.id][0] is Verdict.MET
    )
    return float(np.clip(100 * earned / rubric.best(severity), 0.0, 100.0))


def mean_score(rubric: Rubric, severity: str, repeats: Sequence[Verdicts | None]) -> float | None:
    """The mean over the repeats that have verdicts; None where none has."""
    scores = [score(rubric, severity, each) for each in repeats if each is not None]
    return float(np.mean(scores)) if scores else None


@dataclass(frozen=True)
class Preference:
    """A judge's preference between two answers, shown in both orders.

    ``points``: 0 for the first run's answer, 100 for the second's, 50 for neither; None without a word that counts.
    ``flipped`` says that the order decided.
    """

    points: float | None
    flipped: bool
    unproven: int


def preference(forth: Better | None, back: Better | None) -> Preference:
    """From both orders; in ``back`` the second run's answer came first. Two that contradict each other are none."""
    both = [_points(forth, False), _points(back, True)]
    known = [each for each in both if each is not None]
    unproven = sum(each is Better.UNPROVEN for each in (forth, back))
    if len(known) < 2:
        # One order alone would bring its advantage in.
        return Preference(None, False, unproven)
    if {*known} == {0.0, 100.0}:
        return Preference(_HALF, True, unproven)
    return Preference(float(np.mean(known)), False, unproven)


def _points(better: Better | None, turned: bool) -> float | None:
    if better is None or better is Better.UNPROVEN:
        return None
    if better is Better.SAME:
        return _HALF
    return 100.0 if (better is Better.SECOND) is not turned else 0.0


def self_consistency(repeats: Sequence[Sequence[Verdicts | None]]) -> tuple[float | None, int]:
    """Percent of pairs of repeats that give a criterion the same verdict, and how many pairs there are."""
    same = pairs = 0
    for one in repeats:
        known = [each for each in one if each is not None]
        for at, first in enumerate(known):
            for second in known[at + 1 :]:
                pairs += len(first)
                same += sum(first[name][0] is second[name][0] for name in first)
    return (100 * same / pairs if pairs else None), pairs
