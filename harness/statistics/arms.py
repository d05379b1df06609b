"""Two arms over their trainings: questions and trainings are two levels of variation, and both are reported.

Resampling questions says how a difference would vary over other questions, with these checkpoints. How it would
vary over other trainings only several trainings of both arms can show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..core.errors import UserError
from ..languages.sentences import sentence, together
from ..scores.signatures import without_rate
from ..scores.table import CLUSTER, ScoreTable
from .bootstrap import Floats
from .checks import check_scores, refuse_unlike
from .clusters import Ints, numbered, sharing_clusters
from .columns import OVERALL, STRATA
from .crossed import Components, Squares, squares_of
from .intervals import LEVEL, Method
from .margins import Margin, against_margin
from .paired import chosen, judged_apart, paired
from .resampling import USUAL, Resampling
from .significance import smallest_p
from .verdicts import ALPHA, NOISE, Difference

ONE_EACH = sentence("trainings.one_each")

Seed = int | None
Trainings = Mapping[Seed, ScoreTable]
"""The score tables of one arm by training seed; None for a model of which no seed is known."""


@dataclass(frozen=True)
class Parts:
    """Standard errors of one difference by what makes it vary, in percentage points.

    ``questions`` is over other questions with these trainings, ``trainings`` over other trainings with these
    questions; each holds the variation of single answers too. None where too few say nothing about it.
    ``components`` are what both are made of, where both arms have several trainings.
    """

    metric: str
    stratum: str
    questions: float | None
    trainings: float | None
    components: Components | None = None


@dataclass(frozen=True)
class ArmsCompared:
    """Second minus first arm. ``differences`` are those of ``paired``, judged; ``trainings`` says in words how many
    trainings stand behind them and whether they are paired by seed, ``seeds`` which they are of each arm."""

    differences: list[Difference]
    parts: list[Parts]
    trainings: str
    seeds: tuple[list[Seed], list[Seed]]


def compare_groups(
    first: Trainings,
    second: Trainings,
    metrics: Sequence[str],
    resampling: Resampling = USUAL,
    pair_seeds: bool = True,
    margins: Mapping[str, float | Margin] | None = None,
) -> ArmsCompared:
    """Compare two arms, four strata per metric in the order of ``STRATA``, with the families of ``paired``.

    One training each gives the numbers of ``paired``. With several, a question's score is its mean over the
    trainings; those that have a seed in common are paired by it where there are two or more such, and the others
    are left out. With two or more trainings of both arms, interval and p are over questions and trainings at once:
    see ``Squares``. Where one arm has a single training they are over questions alone, of these checkpoints.

    Args:
        first: the arm that is subtracted, one score table per training seed.
        second: the arm that it is subtracted from.
        metrics: what to compare.
        resampling: of the bootstrap and the random signs over questions.
        pair_seeds: False to take equal seeds of both arms as having nothing in common.
        margins: by metric, in percentage points: what differences are judged against.

    Raises:
        UserError: the tables cannot be compared; see ``paired``.
    """
    if len(first) == len(second) == 1:
        (one,), (other,) = first.values(), second.values()
        return alone(
            paired(one, other, *metrics, resampling=resampling, margins=margins), (list(first), list(second))
        )
    common = [seed for seed in first if seed in second] if pair_seeds else []
    by_seed = len(common) > 1
    seeds = (common, common) if by_seed else (list(first), list(second))
    arms = [[chosen(arm[seed], metrics) for seed in used] for arm, used in zip((first, second), seeds, strict=True)]
    for table in (table for arm in arms for table in arm):
        check_scores(table)
        refuse_unlike(arms[0][0], table)
    shared = iter(sharing_clusters([_by_id(table) for arm in arms for table in arm]))
    arms = [[next(shared) for _ in arm] for arm in arms]
    # Of a mean over trainings and single answers neither column is one of events.
    one, other = (_shares(averaged(arm)) for arm in arms)
    changes = paired(one, other, *metrics, resampling=resampling, margins=margins)
    parts = [_over_questions(each) for each in changes]
    if min(map(len, arms)) > 1:
        levels = [_level(change, arms, by_seed) for change in changes]
        changes = judged_apart([change for change, _ in levels])
        parts = [part for _, part in levels]
    return ArmsCompared(changes, parts, _in_words(first, second, common), seeds)


def alone(changes: list[Difference], seeds: tuple[list[Seed], list[Seed]] = ([None], [None])) -> ArmsCompared:
    """Differences of one training each, as ``paired`` gives them."""
    return ArmsCompared(changes, [_over_questions(each) for each in changes], ONE_EACH, seeds)


def _in_words(first: Trainings, second: Trainings, common: Sequence[Seed]) -> str:
    counts = len(first), len(second)
    if len(common) > 1:
        words = sentence("trainings.paired", n=len(common), seeds=", ".join(map(str, common)))
        alone = [str(seed) for arm in (first, second) for seed in arm if seed not in common]
        return together([words, sentence("trainings.alone", seeds=", ".join(alone))]) if alone else words
    both = {"n": counts[0], "m": counts[1]}
    if 1 in counts:
        return sentence(f"trainings.one_{'first' if counts[0] == 1 else 'second'}", **both)
    return sentence("trainings.apart", **both)


def _by_id(table: ScoreTable) -> ScoreTable:
    return ScoreTable(table.frame.sort_values("id", kind="stable", ignore_index=True), table.signatures)


def averaged(tables: Sequence[ScoreTable]) -> ScoreTable:
    """Each question's mean over the trainings, where there are several; a rate becomes a share.

    Raises:
        UserError: a metric applies to a question in one training and not in another.
    """
    if len(tables) == 1:
        return tables[0]
    tables = [_by_id(table) for table in tables]
    means = {column: tables[0].frame[column] for column in tables[0].keys}
    for metric in tables[0].metrics:
        columns = np.array([table.frame[metric].to_numpy(np.float64) for table in tables])
        if (np.isnan(columns).any(axis=0) != np.isnan(columns).all(axis=0)).any():
            raise UserError(
                f"{metric} applies to other answers in one training than in another", "Compare another --metric"
            )
        means[metric] = pd.Series(columns.mean(axis=0))
    signatures = {metric: without_rate(tables[0].signatures[metric]) for metric in tables[0].metrics}
    return ScoreTable(pd.DataFrame(means), signatures)


def _shares(table: ScoreTable) -> ScoreTable:
    return ScoreTable(table.frame, {name: without_rate(each) for name, each in table.signatures.items()})


def _over_questions(change: Difference) -> Parts:
    error = None if change.deviation is None else change.deviation / change.n**0.5
    if change.clustered:
        error = change.clustered.error
    return Parts(change.metric, change.stratum, error, None)


def _level(change: Difference, arms: Sequence[Sequence[ScoreTable]], by_seed: bool) -> tuple[Difference, Parts]:
    """The difference with interval and p over both levels, still to be judged."""
    if change.n < 2 or (change.clustered and smallest_p(change.clustered.clusters) >= ALPHA):
        return change, _over_questions(change)
    first, second = (_matrix(arm, change) for arm in arms)
    blocks = [second[0] - first[0]] if by_seed else [first[0], second[0]]
    squares, components = squares_of(blocks, second[0].mean(axis=0) - first[0].mean(axis=0), first[1], first[2])
    errors = (float(squares.questions) ** 0.5, float(squares.trainings) ** 0.5)
    part = Parts(change.metric, change.stratum, *errors, components)
    error = float(squares.error)
    if error <= NOISE:
        return change, part
    low, high = _ends(change.mean, squares, LEVEL)
    margin = None
    if change.margin:
        wide, narrow = (_ends(change.mean, squares, level) for level in change.margin.margin.levels)
        margin = against_margin(change.margin.margin, change.better, wide, narrow)
    return (
        replace(
            change,
            low=low,
            high=high,
            p=squares.p(change.mean),
            method=Method.TWO_LEVELS,
            error=error,
            freedom=squares.freedom(1 - LEVEL),
            smallest_p=None,
            bound=None,
            vectors=None,
            exact=False,
            margin=margin,
        ),
        part,
    )


def _ends(mean: float, squares: Squares, level: float) -> tuple[float, float]:
    half = float(squares.critical(1 - level)) * float(squares.error)
    return max(mean - half, -100.0), min(mean + half, 100.0)


def _matrix(tables: Sequence[ScoreTable], change: Difference) -> tuple[Floats, npt.NDArray[np.int64], Ints | None]:
    """Scores (trainings, questions) of one metric in one stratum, and the severity and cluster of each question."""
    frame = tables[0].frame
    rows = frame[change.metric].notna().to_numpy()
    if change.stratum != OVERALL:
        rows = rows & (frame["severity"] == change.stratum).to_numpy()
    severities = pd.Categorical(frame["severity"][rows], categories=list(STRATA[:-1]))
    scores = [table.frame[change.metric].to_numpy(np.float64)[rows] for table in tables]
    clusters = numbered(frame[CLUSTER].to_numpy()[rows]) if CLUSTER in frame else None
    return np.array(scores), severities.codes.astype(np.int64), clusters
