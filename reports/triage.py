"""Scores by what is urgent in the question: the triage level and the discriminators that the rules read there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..harness.runs.questions import triaged
from ..harness.runs.run import Run

LEAST = 5
"""Answers below which a discriminator is not shown: its mean says nothing."""
_SHOWN = 20
_NO_SIGN = "no sign read"


@dataclass(frozen=True)
class TriageStratum:
    """Answers to questions of one level, or in which one discriminator fired. A question may have several of these.

    ``level`` is from 1 to 5, None where no sign was read. ``other`` is the mean of the run that is compared with,
    over the same questions; None without one.
    """

    name: str
    level: int | None
    n: int
    mean: float
    other: float | None


@dataclass(frozen=True)
class TriageStrata:
    """``scale`` says which rules read the questions, whoever gave the run's severities."""

    scale: str
    levels: list[TriageStratum]
    discriminators: list[TriageStratum]


def triage_strata(run: Run, against: Run | None, metric: str) -> TriageStrata | None:
    """Means of a metric by level, the most urgent first, and by the most frequent discriminators.

    None where the run's language has no triage scale.
    """
    read = triaged(run)
    if read is None:
        return None
    answers = run.answers[["id"]].assign(level=read.levels, fired=pd.Series(read.fired, run.answers.index))
    answers = answers.merge(run.scores.frame[["id", metric]].dropna(), on="id")
    other = None
    if against is not None and metric in against.scores.frame:
        other = dict(zip(against.scores.frame["id"], against.scores.frame[metric], strict=True))
    rows: dict[tuple[str, int], list[int]] = defaultdict(list)
    by_level: dict[int | None, list[int]] = defaultdict(list)
    for place, (level, fired) in enumerate(zip(answers["level"].tolist(), answers["fired"], strict=True)):
        by_level[level or None].append(place)
        for each in fired:
            rows[each].append(place)

    def stratum(name: str, level: int | None, places: list[int]) -> TriageStratum:
        values = answers[metric].to_numpy(dtype=np.float64)[places]
        theirs = [np.nan if other is None else other.get(key, np.nan) for key in answers["id"].iloc[places]]
        mean = None if other is None or np.isnan(theirs).any() else float(np.mean(theirs))
        return TriageStratum(name, level, len(places), float(values.mean()), mean)

    levels = [
        stratum(_NO_SIGN if level is None else f"level {level}", level, by_level[level])
        for level in sorted(by_level, key=lambda level: level or np.inf)
    ]
    enough = [item for item in rows.items() if len(item[1]) >= LEAST]
    # By name where they are as frequent, so that no accident decides which is left out.
    frequent = sorted(enough, key=lambda item: (-len(item[1]), item[0]))
    chosen = sorted(frequent[:_SHOWN], key=lambda item: (item[0][1], -len(item[1]), item[0][0]))
    return TriageStrata(read.scale, levels, [stratum(name, level, places) for (name, level), places in chosen])
