"""Whether a stronger weighting has a stronger effect: the schemes of one arm as doses, with none for a start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import special

from ..languages.sentences import sentence, severity, together
from ..severity import Severity
from ..statistics import OVERALL
from ..statistics.intervals import LEVEL
from ..statistics.verdicts import points
from .claim import BASELINE, CLAIMED, named
from .conditions import training_of
from .groups import RunGroup
from .screened import screening_of

LEAST = 3
"""Doses that a slope takes, none among them: a line through two points fits whatever they are."""


@dataclass(frozen=True)
class Dose:
    """The effect of weights by severity against their strength, in one metric and stratum.

    Attributes:
        doses: for each arm its strength, the coefficient of variation of its training weights (0 without weights),
            and its mean effect over the trainings: points above plain cross-entropy.
        seeds: trainings that every arm has.
        slope: of least squares over the arms of a seed, points for a rise of the strength by 1; mean over seeds.
        low, high, p: Student's over the seeds; None for one, of which nothing is known about other trainings.
    """

    metric: str
    stratum: str
    doses: dict[str, tuple[float, float]]
    seeds: int
    slope: float
    low: float | None
    high: float | None
    p: float | None

    def __str__(self) -> str:
        given = ", ".join(f"{arm} {cv:.2f}: {points(effect, '+')}" for arm, (cv, effect) in self.doses.items())
        line = sentence("dose", metric=self.metric, stratum=severity(self.stratum), given=given)
        slope = points(self.slope / 10, "+")
        if self.low is None or self.high is None or self.p is None:
            return together([line, sentence("dose.one", slope=slope)])
        interval = f"[{points(self.low / 10, '+')}, {points(self.high / 10, '+')}]"
        found = sentence("dose.slope", slope=slope, interval=interval, p=f"{self.p:.2g}", n=self.seeds)
        return together([line, found])


def doses_of(groups: Mapping[str, RunGroup], metrics: Sequence[str]) -> list[Dose]:
    """The slopes of what carries a verdict, over all answers and over critical ones; empty for too few schemes.

    Args:
        groups: the arms of one base, by their names with the scheme.
    """
    arms = [name for name in groups if named(name, BASELINE) or named(name, CLAIMED)]
    strengths = {name: _strength(groups[name]) for name in arms}
    seeds = (
        [seed for seed in groups[arms[0]].runs if all(seed in groups[name].runs for name in arms)] if arms else []
    )
    if not seeds or len(set(strengths.values())) < LEAST or not any(named(name, BASELINE) for name in arms):
        return []
    screened = screening_of([run for name in arms for run in groups[name].runs.values()])
    measured = [metric for metric in metrics if metric not in screened]
    return list(_doses(groups, strengths, seeds, measured))


def _strength(group: RunGroup) -> float:
    found = [((training_of(run) or {}).get("weights") or {}).get("cv", 0.0) for run in group.runs.values()]
    return round(float(np.mean(found)), 6)


def _doses(
    groups: Mapping[str, RunGroup],
    strengths: Mapping[str, float],
    seeds: Sequence[int | None],
    metrics: Sequence[str],
) -> Iterator[Dose]:
    plain = next(name for name in strengths if named(name, BASELINE))
    x = np.array(list(strengths.values()))
    for metric, stratum in product(metrics, (OVERALL, str(Severity.CRITICAL))):
        y = np.array([[_mean(groups[name], seed, metric, stratum) for seed in seeds] for name in strengths])
        if np.isnan(y).any():
            continue
        effects = y - y[list(strengths).index(plain)]
        slopes = np.polyfit(x, effects, 1)[0]
        yield Dose(
            metric,
            stratum,
            {name: (cv, float(effects[place].mean())) for place, (name, cv) in enumerate(strengths.items())},
            len(seeds),
            float(slopes.mean()),
            *_student(slopes),
        )


def _mean(group: RunGroup, seed: int | None, metric: str, stratum: str) -> float:
    frame = group.tables[seed].frame
    own = frame if stratum == OVERALL else frame[frame["severity"] == stratum]
    return float(own[metric].mean())


def _student(slopes: npt.NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    """Interval and p of the mean over seeds."""
    count = len(slopes)
    if count < 2:
        return None, None, None
    mean, error = float(slopes.mean()), float(slopes.std(ddof=1)) / count**0.5
    half = float(special.stdtrit(count - 1, (1 + LEVEL) / 2)) * error
    p = 2 * float(special.stdtr(count - 1, -abs(mean) / error)) if error else float(mean == 0)
    return mean - half, mean + half, p
