"""Ranks with what is known of them: for each of several systems the best and the worst that it may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..core.errors import UserError
from ..scores.signatures import Better, better
from ..scores.table import ScoreTable
from ..severity import SEVERITIES
from .bootstrap import Floats
from .checks import check_scores, refuse_unlike
from .columns import Block, stack
from .flips import flips_of
from .paired import chosen
from .resampling import USUAL, Resampling
from .verdicts import ALPHA, UNCHANGED

# Pairs whose means under all random signs are made at once (16 MB a severity at 10,000 resamples).
_PAIRS = 200
# Sums of the same numbers in another order differ in the last bits and still count as equal.
_TIE = 1e-10
_OVERALL = len(SEVERITIES)


@dataclass(frozen=True)
class Ranking:
    """Rank intervals of k systems, and the adjusted p of every pair, shape (k, k), 1 on the diagonal.

    ``intervals`` has (best, worst) of each system. With 95 % confidence all of them hold at once: that is over
    other questions, with these very systems.
    """

    intervals: list[tuple[int, int]]
    p: Floats


def rank_intervals(tables: Sequence[ScoreTable], metric: str, resampling: Resampling = USUAL) -> Ranking:
    """Rank systems by the overall mean of one metric.

    A system's best rank is one more than the number of systems that are found better, its worst is k less the
    number found worse (Mogstad, Romano, Shaikh and Wilhelm 2024, doi 10.1093/restud/rdad006). All pairs are tested
    as one family: p is the share of random signs under which the largest statistic of any pair reaches the pair's
    own (single-step max-T; Westfall and Young 1993). The signs are one a question for all pairs, and of few
    questions all there are. The statistic is the mean difference over the root of its mean square, which rises with
    Student's t. Signs turn no pair into another, so the level holds whichever systems are equal. Of two systems it
    is the p of ``paired`` on as many signs.

    Raises:
        UserError: the tables cannot be compared; see ``paired_all``.
    """
    tables = [chosen(table, [metric]) for table in tables]
    for table in tables:
        check_scores(table)
        refuse_unlike(tables[0], table)
    blocks = stack(tables)
    if len(blocks) > 1:
        raise UserError(
            f"{metric} applies to other answers in one run than in the other",
            "Compute both again with `maqa rescore RUN`",
        )
    values = blocks[0].values
    p = _adjusted(values, blocks[0], resampling)
    sign = -1 if better(tables[0].signatures[metric]) is Better.LOWER else 1
    means = sign * values.mean(axis=0)
    above = (p < ALPHA) & (means[:, None] > means)
    k = len(tables)
    return Ranking([(1 + int(above[:, each].sum()), k - int(above[each].sum())) for each in range(k)], p)


def _adjusted(values: Floats, block: Block, resampling: Resampling) -> Floats:
    """p of every pair of columns, adjusted over all pairs."""
    k = values.shape[1]
    pairs = list(combinations(range(k), 2))
    adjusted = np.ones((k, k))
    if not pairs or len(values) < 2:
        return adjusted
    observed: list[Floats] = []
    largest: Floats = np.zeros(1)
    exact = False
    for start in range(0, len(pairs), _PAIRS):
        first, second = np.array(pairs[start : start + _PAIRS]).T
        changes = values[:, second] - values[:, first]
        changes[np.abs(changes) <= UNCHANGED] = 0.0
        sums = block.of(changes).units(_OVERALL).totals
        scale = np.sqrt((sums**2).mean(axis=0))
        changes /= np.where(scale > 0, scale, 1.0)
        for flips in flips_of(block.of(changes), [_OVERALL], resampling)[_OVERALL]:
            largest = np.maximum(largest, np.abs(flips.flipped).max(axis=0))
            observed.append(np.abs(flips.means))
            exact = flips.exact
    ordered = np.sort(largest)
    reached = len(ordered) - np.searchsorted(ordered, np.concatenate(observed) - _TIE, side="left")
    # Among all signs stand the observed ones; beside drawn signs they count as one more.
    p = reached / len(ordered) if exact else (reached + 1) / (len(ordered) + 1)
    one, other = np.array(pairs).T
    adjusted[one, other] = adjusted[other, one] = p
    return adjusted
