"""Paired differences between runs of the same answers, per severity and overall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..core.errors import UserError
from ..scores.signatures import Better, better, is_rate
from ..scores.table import KEY_COLUMNS, ScoreTable
from ..severity import SEVERITIES
from .bootstrap import Floats, resampled_means, signs
from .checks import check_scores, refuse_unlike
from .columns import OVERALL, STRATA, Block, stack
from .intervals import Method, described, newcombe
from .resampling import USUAL, Resampling
from .significance import randomisation_p
from .summary import mean_interval
from .verdicts import NOISE, UNCHANGED, Difference, judge

_RESCORE = "Compute both again with `maqa rescore RUN`"
# Keeps the random signs apart from the bootstrap's random rows.
_SIGNS = 1


def paired(
    first: ScoreTable, second: ScoreTable, *metrics: str, resampling: Resampling = USUAL
) -> list[Difference]:
    """Differences second minus first, joined by id: four strata per metric in the order of ``STRATA``.

    Two families are declared: the severities times the metrics, and the metrics overall.

    Raises:
        UserError: the runs cannot be compared; see ``paired_all``.
    """
    return paired_all(first, [second], metrics, resampling)[0]


def paired_all(
    first: ScoreTable, others: Sequence[ScoreTable], metrics: Sequence[str], resampling: Resampling = USUAL
) -> list[list[Difference]]:
    """Differences of several runs minus the first, all on the same resamples and the same signs.

    Each pair is judged with the families of ``paired``; ``judge`` can judge them again as a wider one. Means get
    BCa intervals of the differences, rates Newcombe's.

    Raises:
        UserError: a run's scores cannot be used (see ``check_scores``), a metric is missing, has another signature
            or applies to other answers, or the runs have other ids or severities.
    """
    tables = [chosen(table, metrics) for table in (first, *others)]
    for table in tables:
        check_scores(table)
        refuse_unlike(tables[0], table)
    made: dict[tuple[int, str, str], Difference] = {}
    for block in stack(tables):
        for index, difference in _differences(block, first, resampling):
            made[index, difference.metric, difference.stratum] = difference
    return [
        judged_apart(
            [
                made.get((index, metric, stratum)) or _absent(metric, stratum, better(first.signatures[metric]))
                for metric in metrics
                for stratum in STRATA
            ]
        )
        for index in range(1, len(tables))
    ]


def chosen(table: ScoreTable, metrics: Sequence[str]) -> ScoreTable:
    """The table with these metrics alone.

    Raises:
        UserError: one is missing.
    """
    if missing := [metric for metric in metrics if metric not in table.metrics]:
        raise UserError(f"no scores of {', '.join(missing)}", f"Choose among {', '.join(table.metrics)}")
    return ScoreTable(table.frame[[*KEY_COLUMNS, *metrics]], table.signatures)


def _differences(block: Block, first: ScoreTable, resampling: Resampling) -> Iterator[tuple[int, Difference]]:
    column = {owner: place for place, owner in enumerate(block.owners)}
    pairs = [(index, metric) for index, metric in block.owners if index]
    if unmatched := [metric for index, metric in block.owners if index and (0, metric) not in column]:
        raise UserError(f"{unmatched[0]} applies to other answers in one run than in the other", _RESCORE)
    if not pairs:
        return
    before = Block(block.values[:, [column[0, metric] for _, metric in pairs]], block.codes, pairs)
    after = block.values[:, [column[pair] for pair in pairs]]
    # Else an answer that two runs share would count as better or worse, and break the ties of the test.
    changed = after - before.values
    changes = Block(np.where(np.abs(changed) > UNCHANGED, changed, 0.0), block.codes, pairs)
    rates = np.array([is_rate(first.signatures[metric]) for _, metric in pairs])
    bootstrapped = changes.resampled(resampling)
    flipped = _flipped(changes, resampling)
    for place, stratum in enumerate(STRATA):
        values = changes.stratum(place)
        if not len(values):
            continue
        low, high = np.full((2, len(pairs)), np.nan)
        if place in bootstrapped:
            low, high = mean_interval(bootstrapped[place])
            low[rates], high[rates] = _rate_intervals(before.stratum(place)[:, rates], values[:, rates])
        p = randomisation_p(values.mean(axis=0), flipped[place])
        for number, (index, metric) in enumerate(pairs):
            method = Method.NEWCOMBE if rates[number] else Method.BCA
            side = better(first.signatures[metric])
            interval = described(len(values), low[number], high[number], method)
            yield index, _difference(metric, stratum, values[:, number], interval, float(p[number]), side)


def _flipped(changes: Block, resampling: Resampling) -> dict[int, Floats]:
    """Mean differences under random signs for each place in ``STRATA``; overall takes the signs of its strata."""
    flipped = {
        place: resampled_means(
            changes.stratum(place),
            signs(
                len(changes.stratum(place)),
                resampling.resamples,
                np.random.default_rng([resampling.seed, place, _SIGNS]),
            ),
        )
        for place in changes.places()
    }
    shares = {place: len(changes.stratum(place)) / len(changes.values) for place in flipped}
    overall: Floats = np.sum([flipped[place] * shares[place] for place in flipped], axis=0)
    return {**flipped, len(SEVERITIES): overall}


def _rate_intervals(before: Floats, changes: Floats) -> tuple[Floats, Floats]:
    after = before + changes
    return newcombe(
        *(
            ((before == one) & (after == other)).sum(axis=0).astype(np.float64)
            for one, other in ((100, 100), (100, 0), (0, 100), (0, 0))
        )
    )


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
