"""Means per true severity, from strata that were cut by labels of which some are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..languages.sentences import sentence, severity, together
from .bootstrap import Floats
from .bounds import worst_case
from .columns import STRATA
from .label_draws import Drawn, Sample, drawn_means
from .resampling import Resampling

DRAWS = 2_000
"""Of the gold and of the answers, at most."""
_PRIOR = 0.5
"""Jeffreys' rows per cell: without them a mistake that the gold does not hold could never happen."""
_TAILS = [2.5, 97.5]


@dataclass(frozen=True)
class Gold:
    """How labels were checked: ``rows[label, true]`` counts rows, places as in ``SEVERITIES``.

    ``certain`` is the share of each label's rows, shape (3,), that is known to be right and not what was checked:
    those that people labelled.
    """

    rows: Floats
    certain: Floats

    @property
    def predictive(self) -> Floats:
        """P(true | label), shape (label, true); NaN for a label without a row."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._mixed(self.rows / self.rows.sum(axis=1, keepdims=True))

    def drawn(self, draws: int, rng: np.random.Generator) -> Floats:
        """The same from other gold rows, shape (draws, label, true): Rubin's Bayesian bootstrap (1981,
        doi 10.1214/aos/1176345338) of each label's rows."""
        shares = rng.standard_gamma(self.rows + _PRIOR, (draws, *self.rows.shape))
        return self._mixed(shares / shares.sum(axis=2, keepdims=True))

    def _mixed(self, shares: Floats) -> Floats:
        mixed: Floats = self.certain[:, None] * np.eye(len(shares[0])) + (1 - self.certain[:, None]) * shares
        return mixed


@dataclass(frozen=True)
class TrueMean:
    """A mean difference over the questions that are truly of a severity, in points.

    ``mean``, ``low`` and ``high`` hold if the difference depends on the true severity and not on the label given to
    it. ``worst_low`` and ``worst_high`` hold whatever it depends on.
    """

    stratum: str
    mean: float
    low: float
    high: float
    worst_low: float
    worst_high: float


def true_means(sample: Sample, gold: Gold, resampling: Resampling) -> list[TrueMean] | str:
    """The three means per true severity with 95 % intervals, or in words why there are none.

    The rows called t hold the severities s in the shares P(s | t), so that their mean is m_t = Σ_s P(s | t) μ_s if
    nothing but s matters; the means sought are μ = P⁻¹ m (the matrix method: Barron 1977, doi 10.2307/2529795, with
    predictive values: Marshall 1990, doi 10.1016/0895-4356(90)90077-3). P given the label does not change where
    labels are drawn in other shares than in the gold. Intervals are percentiles over draws of the gold and of the
    answers at once.

    Each μ_s is a ratio whose denominator is det P. A ratio has a bounded interval only if its denominator differs
    from 0 at the same level (Fieller 1954, doi 10.1111/j.2517-6161.1954.tb00159.x), and no interval of finite
    length covers it otherwise (Gleser and Hwang 1987, doi 10.1214/aos/1176350597). So there is none where more than
    2.5 % of the draws of det P are not above 0, as it is (Gershgorin) where each label is right more often than
    not.
    """
    names = STRATA[: len(gold.rows)]
    if missing := [name for place, name in enumerate(names) if sample.units(place) < 2]:
        return sentence("true.few", strata=together(map(severity, missing), "list.or"))
    if missing := [name for place, name in enumerate(names) if not gold.rows[place].sum()]:
        return sentence("true.no_gold", strata=together(map(severity, missing), "list.or"))
    draws = min(resampling.resamples, DRAWS)
    matrices = gold.drawn(draws, np.random.default_rng([resampling.seed, len(STRATA)]))
    bottoms = np.linalg.det(matrices)
    if 100 * float((bottoms <= 0).mean()) > _TAILS[0] or np.linalg.det(gold.predictive) <= 0:
        return sentence("true.too_wrong")
    drawn = drawn_means(sample, draws, resampling.seed)
    tops = _replaced(matrices, drawn.means)
    # So near to no information that the mean could be anything; it may be so in at most 2.5 % of the draws.
    with np.errstate(divide="ignore", invalid="ignore"):
        solved = np.where(bottoms[:, None] > 0, tops / bottoms[:, None], np.where(tops > 0, np.inf, -np.inf))
    low, high = np.clip(np.percentile(solved, _TAILS, axis=0, method="nearest"), -100, 100)
    means = np.clip(np.linalg.solve(gold.predictive, sample.means), -100, 100)
    least, most = _worst(sample, gold, matrices, drawn)
    return [
        TrueMean(name, *(float(each[place]) for each in (means, low, high, least, most)))
        for place, name in enumerate(names)
    ]


def _worst(sample: Sample, gold: Gold, matrices: Floats, drawn: Drawn) -> tuple[Floats, Floats]:
    """Outer ends of the worst cases over the draws: 95 % for the whole range that the labels leave open."""
    longer = max(sample.lengthened(place) for place in range(len(gold.rows)))
    now = [ends[0] for ends in worst_case(sample, gold.predictive[None], None)]
    least, most = (
        one + longer * (ends - one) for one, ends in zip(now, worst_case(sample, matrices, drawn), strict=True)
    )
    low, high = np.percentile(least, _TAILS[0], axis=0), np.percentile(most, _TAILS[1], axis=0)
    return np.clip(np.minimum(low, now[0]), -100, 100), np.clip(np.maximum(high, now[1]), -100, 100)


def _replaced(matrices: Floats, means: Floats) -> Floats:
    """Determinants of each matrix with one column replaced by the means (Cramer's rule), shape (draws, 3)."""
    found = []
    for place in range(matrices.shape[2]):
        changed = matrices.copy()
        changed[:, :, place] = means
        found.append(np.linalg.det(changed))
    return np.column_stack(found)


def gold_of(
    confusion: Sequence[Sequence[int]], certain: Sequence[float] | npt.NDArray[np.float64] = (0.0, 0.0, 0.0)
) -> Gold:
    """The gold of a report card, whose ``confusion[true][assigned]`` stands the mildest first.

    Args:
        certain: by place in ``SEVERITIES``, the most severe first.
    """
    return Gold(np.array(confusion, np.float64)[::-1, ::-1].T.copy(), np.array(certain, np.float64))
