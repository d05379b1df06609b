"""Paired differences between runs of the same answers, per severity and overall."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..core.errors import UserError
from ..scores.signatures import Better, better, is_rate
from ..scores.table import ScoreTable
from .bootstrap import Floats
from .checks import check_scores, refuse_unlike
from .clusters import Ints, alone, clustered, effective_sizes, units_of
from .columns import OVERALL, STRATA, Block, stack
from .exact import around, exact_bound, exact_ends
from .flips import flips_of
from .intervals import LEVEL, Method, agreeing, described, newcombe
from .inversion import sign_flip_test
from .margins import AgainstMargin, Margin, against_margin, as_margin
from .resampling import USUAL, Resampling
from .significance import smallest_p
from .skewness import widened
from .verdicts import ALPHA, NOISE, UNCHANGED, Difference, borderline, judge

MOST_DRAWN = 16
"""Times as many random signs as usual are drawn at most, to tell on which side of the level a p is."""
_RESCORE = "Compute both again with `maqa rescore RUN`"
_Key = tuple[int, str, str]
"""The place of a table, a metric and a stratum."""


def paired(
    first: ScoreTable,
    second: ScoreTable,
    *metrics: str,
    resampling: Resampling = USUAL,
    margins: Mapping[str, float | Margin] | None = None,
) -> list[Difference]:
    """Differences second minus first, joined by id: four strata per metric in the order of ``STRATA``.

    Two families are declared: the severities times the metrics, and the metrics overall.

    Raises:
        UserError: the runs cannot be compared; see ``paired_all``.
    """
    return paired_all(first, [second], metrics, resampling, margins)[0]


def paired_all(
    first: ScoreTable,
    others: Sequence[ScoreTable],
    metrics: Sequence[str],
    resampling: Resampling = USUAL,
    margins: Mapping[str, float | Margin] | None = None,
) -> list[list[Difference]]:
    """Differences of several runs minus the first, all on the same signs.

    Each pair is judged with the families of ``paired``; ``judge`` can judge them again as a wider one. The interval
    of a mean is the inversion of the sign-flip test that p is from, drawn out where the differences are skewed (see
    ``skewness``), or an exact bound where so few answers changed that no p is below the level. That of a rate is
    Newcombe's, which also covers where no answer changed; its end is moved to 0 where the two would contradict each
    other. Where p lies within Monte-Carlo error of the level, four times as many signs are drawn, and again, up to
    ``MOST_DRAWN`` times.

    Args:
        margins: by metric, in percentage points: what differences are judged against.

    Raises:
        UserError: a run's scores cannot be used (see ``check_scores``), a metric is missing, has another signature
            or applies to other answers, or the runs have other ids or severities.
    """
    tables = [chosen(table, metrics) for table in (first, *others)]
    for table in tables:
        check_scores(table)
        refuse_unlike(tables[0], table)
    blocks = stack(tables)
    made: dict[_Key, Difference] = {}
    only: set[_Key] | None = None
    drawn = 1
    while True:
        more = resampling.model_copy(update={"resamples": resampling.resamples * drawn})
        for block in blocks:
            for index, difference in _differences(block, first, more, margins or {}, only):
                made[index, difference.metric, difference.stratum] = difference
        judged = [
            judged_apart(
                [
                    made.get((index, metric, stratum)) or _absent(metric, stratum, better(first.signatures[metric]))
                    for metric in metrics
                    for stratum in STRATA
                ]
            )
            for index in range(1, len(tables))
        ]
        only = {
            (index, each.metric, each.stratum)
            for index, changes in enumerate(judged, start=1)
            for each in changes
            if borderline(each)
        }
        if not only or drawn >= MOST_DRAWN:
            return judged
        drawn *= 4


def chosen(table: ScoreTable, metrics: Sequence[str]) -> ScoreTable:
    """The table with these metrics alone.

    Raises:
        UserError: one is missing.
    """
    if missing := [metric for metric in metrics if metric not in table.metrics]:
        raise UserError(f"no scores of {', '.join(missing)}", f"Choose among {', '.join(table.metrics)}")
    return table.only(metrics)


def _differences(
    block: Block,
    first: ScoreTable,
    resampling: Resampling,
    margins: Mapping[str, float | Margin],
    only: Collection[_Key] | None = None,
) -> Iterator[tuple[int, Difference]]:
    """The differences of a block, with the place of their table; of ``only`` these, where given."""
    column = {owner: place for place, owner in enumerate(block.owners)}
    pairs = [(index, metric) for index, metric in block.owners if index]
    if unmatched := [metric for index, metric in block.owners if index and (0, metric) not in column]:
        raise UserError(f"{unmatched[0]} applies to other answers in one run than in the other", _RESCORE)
    places = [place for place in range(len(STRATA)) if len(block.stratum(place))]
    if only is not None:
        places = [place for place in places if any((*pair, STRATA[place]) in only for pair in pairs)]
        pairs = [pair for pair in pairs if any((*pair, stratum) in only for stratum in STRATA)]
    if not pairs or not places:
        return
    before = block.of(block.values[:, [column[0, metric] for _, metric in pairs]], pairs)
    after = block.values[:, [column[pair] for pair in pairs]]
    # Else an answer that two runs share would count as better or worse, and break the ties of the test.
    changed = after - before.values
    changes = block.of(np.where(np.abs(changed) > UNCHANGED, changed, 0.0), pairs)
    rates = np.array([is_rate(first.signatures[metric]) for _, metric in pairs])
    limits = {metric: as_margin(margins[metric]) for _, metric in pairs if metric in margins}
    levels = list(dict.fromkeys([LEVEL, *(level for each in limits.values() for level in each.levels)]))
    flips = flips_of(changes, places, resampling)
    for place in places:
        stratum, values = STRATA[place], changes.stratum(place)
        tested = sign_flip_test(flips[place], levels)
        together, units = changes.together(place), changes.units(place)
        floor = np.array([smallest_p(int(count)) for count in (np.abs(units.totals) > NOISE).sum(axis=0)])
        # Of few changes random signs may give a p by chance that their own number cannot.
        p = np.where(floor < ALPHA, tested.p, np.maximum(tested.p, floor))
        ends = [
            _ends(before.stratum(place), values, rates, tested.ends[number], p, level, together)
            for number, level in enumerate(levels)
        ]
        means = before.stratum(place).mean(axis=0)
        for number, (index, metric) in enumerate(pairs):
            if only is not None and (index, metric, stratum) not in only:
                continue
            side = better(first.signatures[metric])
            method = Method.NEWCOMBE if rates[number] else Method.SIGN_FLIP
            if method is Method.SIGN_FLIP and floor[number] >= ALPHA:
                method = Method.EXACT
            found = [described(len(values), low[number], high[number], method) for low, high in ends]
            made = _difference(metric, stratum, values[:, number], found[0], float(p[number]), side)
            if together is not None:
                made = _of_clusters(made, values[:, number], together, block.codes, float(floor[number]))
            yield (
                index,
                replace(
                    made,
                    vectors=tested.vectors if made.p is not None else None,
                    exact=tested.exact,
                    room=_room(side, float(means[number])),
                    margin=_against(limits[metric], made, dict(zip(levels, found, strict=True)))
                    if metric in limits
                    else None,
                ),
            )


def _ends(
    before: Floats,
    changes: Floats,
    rates: npt.NDArray[np.bool_],
    inverted: tuple[Floats, Floats],
    p: Floats,
    level: float,
    together: Ints | None,
) -> tuple[Floats, Floats]:
    """The intervals of one level; NaN where every answer changed equally, infinite where clusters are too few."""
    low, high = widened(inverted, changes if together is None else alone(changes, together), p, level)
    constant = np.ptp(changes, axis=0) <= NOISE
    low[constant], high[constant] = np.nan, np.nan
    moved = np.abs(units_of(changes, together).totals) > NOISE
    few = np.array([smallest_p(int(count)) >= ALPHA for count in moved.sum(axis=0)])
    if together is None:
        low[few], high[few] = exact_ends(changes[:, few], level)
    else:
        # Of how many questions a cluster has that was not asked nothing is known.
        low[few], high[few] = -np.inf, np.inf
    if rates.any():
        ends = _rate_ends(before[:, rates], changes[:, rates], level, together)
        low[rates], high[rates] = agreeing(ends, changes[:, rates].mean(axis=0), p[rates], 1 - level)
    return low, high


def _against(
    margin: Margin, made: Difference, ends: Mapping[float, tuple[float | None, float | None, Method]]
) -> AgainstMargin:
    """Judged by the intervals of the margin's levels; of answers that all changed equally, by what may hide behind
    them."""
    wide, narrow = (ends[level][:2] for level in margin.levels)
    if made.method is Method.CONSTANT:
        n = made.clustered.clusters if made.clustered else made.n
        wide, narrow = (around(made.mean, n, level) for level in margin.levels)
    return against_margin(margin, made.better, wide, narrow)


def _rate_ends(before: Floats, changes: Floats, level: float, together: Ints | None) -> tuple[Floats, Floats]:
    """With clusters Newcombe's interval of as many independent answers as these changes are worth."""
    after = before + changes
    both, first, second, neither = (
        ((before == one) & (after == other)).sum(axis=0).astype(np.float64)
        for one, other in ((100, 100), (100, 0), (0, 100), (0, 0))
    )
    if together is None:
        return newcombe(both, first, second, neither, level)
    worth = effective_sizes(changes, together, level) / len(changes)
    low, high = newcombe(both * worth, first * worth, second * worth, neither * worth, level)
    return np.where(np.isnan(worth), -np.inf, low), np.where(np.isnan(worth), np.inf, high)


def _of_clusters(made: Difference, changes: Floats, together: Ints, codes: Ints, floor: float) -> Difference:
    """The same with what clusters do to it; of one severity or overall."""
    return replace(
        made,
        clustered=clustered(changes, together, codes if made.stratum == OVERALL else None),
        smallest_p=floor if made.n > 1 else None,
        bound=None,
    )


def _room(side: Better, mean: float) -> float:
    left = {Better.HIGHER: 100 - mean, Better.LOWER: mean, Better.NEITHER: max(mean, 100 - mean)}
    return left[side]


def _difference(
    metric: str,
    stratum: str,
    changes: Floats,
    interval: tuple[float | None, float | None, Method],
    p: float,
    side: Better,
) -> Difference:
    n, mean = len(changes), float(changes.mean())
    rose, fell = (100 * float((changes * sign > 0).mean()) for sign in (1, -1))
    low, high, method = interval
    deviation = float(changes.std(ddof=1)) if n > 1 else None
    floor = smallest_p(int(np.count_nonzero(changes))) if n > 1 else None
    if deviation is not None and deviation <= NOISE:
        deviation = 0.0
    return Difference(
        metric=metric,
        stratum=stratum,
        n=n,
        mean=mean,
        low=low,
        high=high,
        method=method,
        p=p if n > 1 else None,
        deviation=deviation,
        effect_size=mean / deviation if deviation else None,
        better=side,
        improved_pct=fell if side is Better.LOWER else rose,
        worsened_pct=rose if side is Better.LOWER else fell,
        smallest_p=floor,
        bound=None if floor is not None and floor < ALPHA else exact_bound(changes),
    )


def judged_apart(differences: Sequence[Difference]) -> list[Difference]:
    """Judge the severities as one family and the overall differences as another, keeping the order."""
    strata = iter(judge([each for each in differences if each.stratum != OVERALL]))
    overall = iter(judge([each for each in differences if each.stratum == OVERALL]))
    return [next(overall) if each.stratum == OVERALL else next(strata) for each in differences]


def _absent(metric: str, stratum: str, side: Better) -> Difference:
    return Difference(
        metric, stratum, 0, float("nan"), None, None, Method.TOO_FEW, None, None, None, side, None, None
    )
