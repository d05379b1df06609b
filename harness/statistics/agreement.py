"""How far several raters agree on a scale, beyond chance: three coefficients, bootstrapped over units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from .bootstrap import Floats, counts, resampled_means
from .resampling import USUAL, Resampling

Codes = npt.NDArray[np.int64]
"""Ratings, shape (units, raters): the place of the value on its scale, or -1 where a rater gave none."""
_LEVELS = (2.5, 97.5)


class Scale(StrEnum):
    """``ordinal`` values have an order, so that neighbours agree in part; ``nominal`` ones have none."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"


@dataclass(frozen=True)
class Coefficient:
    """An estimate with its 95 % interval; None where it is undefined, as without any variation."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Agreement:
    """What the ratings of units say of their raters.

    Attributes:
        units: rated by two raters or more; the others say nothing about agreement.
        raters: that rated any of these.
        exact: share of equal pairs of ratings, in percent.
        kappa: Cohen's, weighted by squared distance on an ordinal scale; of several raters the mean over pairs.
        alpha: Krippendorff's.
        ac: Gwet's AC1 of a nominal scale, AC2 of an ordinal one; it keeps its sense where nearly all units have one
            value.
    """

    units: int
    raters: int
    exact: Coefficient
    kappa: Coefficient
    alpha: Coefficient
    ac: Coefficient


def agreement(codes: Codes, values: int, scale: Scale, resampling: Resampling = USUAL) -> Agreement | None:
    """The agreement between the raters of units; None where no unit has two ratings.

    Every coefficient is a function of sums over units, so one bootstrap of the units serves all of them. Sources:
    Cohen 1968 (doi 10.1037/h0026256), its mean over pairs as in Light 1971 (doi 10.1037/h0031643); Krippendorff,
    Content Analysis (4th edition 2018, chapter 12); Gwet, Handbook of Inter-Rater Reliability (4th edition 2014,
    chapters 2 and 3), weights 1 - (i - j)² / (q - 1)².

    Args:
        codes: see ``Codes``.
        values: how many values the scale has.
        scale: whether they have an order.
        resampling: of units; at most 2,000 resamples are drawn.
    """
    twice = (codes >= 0).sum(axis=1) > 1
    if not twice.any():
        return None
    # Units with one rating say nothing of agreement, but to Gwet how common the values are.
    rated = codes[(codes >= 0).any(axis=1)][:, (codes[twice] >= 0).any(axis=0)]
    weights = _weights(values, scale)
    parts: dict[str, tuple[Floats, Callable[[Floats], Floats]]] = {
        "exact": _exact(rated, values),
        "kappa": _kappa(rated, values, weights),
        "alpha": _alpha(rated, values, scale),
        "ac": _ac(rated, values, weights),
    }
    drawn = _resampled(np.column_stack([features for features, _ in parts.values()]), resampling)
    found, start = {}, 0
    for name, (features, of) in parts.items():
        stop = start + features.shape[1]
        found[name] = _coefficient(of(features.sum(axis=0)[:, None]), of(drawn[start:stop]))
        start = stop
    return Agreement(int(twice.sum()), rated.shape[1], **found)


@dataclass(frozen=True)
class PairAgreement:
    """Two labellers over the units that both labelled; both coefficients are None of no units."""

    units: int
    exact: Coefficient
    kappa: Coefficient


def pair_agreement(one: Codes, other: Codes, values: int, resampling: Resampling = USUAL) -> PairAgreement:
    """Percent of equal labels, and Cohen's kappa weighted by squared distance, of two columns of codes.

    Both depend on the table of units alone: the bootstrap draws tables, and takes as long for any number of units.

    Args:
        one, other: shape (units,), -1 for none.
    """
    both = (one >= 0) & (other >= 0)
    n = int(both.sum())
    if not n:
        none = Coefficient(None, None, None)
        return PairAgreement(0, none, none)
    table = np.bincount(one[both] * values + other[both], minlength=values**2).astype(np.float64)
    rng = np.random.default_rng(resampling.seed)
    drawn = rng.multinomial(n, table / n, size=min(resampling.resamples, 2_000)).T.astype(np.float64)
    weights = _weights(values, Scale.ORDINAL)

    def exact(tables: Floats) -> Floats:
        equal: Floats = 100 * np.einsum("iik->k", tables.reshape(values, values, -1)) / n
        return equal

    def kappa(tables: Floats) -> Floats:
        return _pair_kappa(tables.reshape(values, values, -1), weights)

    return PairAgreement(
        n, _coefficient(exact(table[:, None]), exact(drawn)), _coefficient(kappa(table[:, None]), kappa(drawn))
    )


def _pair_kappa(table: Floats, weights: Floats) -> Floats:
    """Weighted kappa of tables (values, values, k); NaN without any variation."""
    total = table.sum(axis=(0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.einsum("ij,ijk->k", weights, table) / total
        expected = np.einsum("ij,ik,jk->k", weights, table.sum(axis=1) / total, table.sum(axis=0) / total)
        found: Floats = np.where(total > 0, (observed - expected) / (1 - expected), np.nan)
    return found


def _resampled(features: Floats, resampling: Resampling) -> Floats:
    n = len(features)
    drawn = counts(n, min(resampling.resamples, 2_000), np.random.default_rng(resampling.seed))
    return resampled_means(features, drawn) * n


def _coefficient(point: Floats, drawn: Floats) -> Coefficient:
    value = float(point[0])
    finite = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(finite) < 2:
        return Coefficient(float(value) if np.isfinite(value) else None, None, None)
    low, high = np.percentile(finite, _LEVELS)
    return Coefficient(value, float(low), float(high))


def _weights(values: int, scale: Scale) -> Floats:
    """How much two values agree, from 0 to 1, shape (values, values)."""
    places = np.arange(values)
    if scale is Scale.NOMINAL:
        return np.eye(values)
    agreed: Floats = 1 - ((places[:, None] - places) / max(values - 1, 1)) ** 2
    return agreed


def _votes(codes: Codes, values: int) -> Floats:
    """How often each unit got each value, shape (units, values)."""
    return np.stack([(codes == value).sum(axis=1) for value in range(values)], axis=1).astype(np.float64)


def _exact(codes: Codes, values: int) -> tuple[Floats, Callable[[Floats], Floats]]:
    votes = _votes(codes, values)
    equal, twice = _per_pair((votes * (votes - 1)).sum(axis=1), votes)
    return np.column_stack([equal, twice]), lambda sums: 100 * sums[0] / sums[1]


def _per_pair(sums: Floats, votes: Floats) -> tuple[Floats, Floats]:
    """Sums over ordered pairs of a unit's ratings as means, 0 of a unit without pairs; and whether it has any."""
    rated = votes.sum(axis=1)
    pairs = rated * (rated - 1)
    return np.divide(sums, pairs, out=np.zeros_like(pairs), where=pairs > 0), (pairs > 0).astype(np.float64)


def _kappa(codes: Codes, values: int, weights: Floats) -> tuple[Floats, Callable[[Floats], Floats]]:
    raters = codes.shape[1]
    pairs = [(one, other) for one in range(raters) for other in range(one + 1, raters)]
    tables = []
    for one, other in pairs:
        both = (codes[:, one] >= 0) & (codes[:, other] >= 0)
        cell = np.where(both, codes[:, one] * values + codes[:, other], values**2)
        tables.append(np.eye(values**2 + 1)[cell][:, :-1])

    def of(sums: Floats) -> Floats:
        table = sums.reshape(len(pairs), values, values, -1)
        each = np.stack([_pair_kappa(each, weights) for each in table])
        known = np.isfinite(each)
        mean: Floats = np.where(known, each, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
        return mean

    return np.concatenate(tables, axis=1), of


def _alpha(codes: Codes, values: int, scale: Scale) -> tuple[Floats, Callable[[Floats], Floats]]:
    votes = _votes(codes, values)
    rated = votes.sum(axis=1)
    pairs = votes[:, :, None] * votes[:, None, :] - votes[:, :, None] * np.eye(values)
    coincidences = (pairs / np.maximum(rated - 1, 1)[:, None, None]).reshape(len(votes), -1)

    def of(sums: Floats) -> Floats:
        table = sums.reshape(values, values, -1)
        each = table.sum(axis=1)
        total = each.sum(axis=0)
        distance = _distances(each, scale)
        with np.errstate(invalid="ignore", divide="ignore"):
            observed = (table * distance).sum(axis=(0, 1)) / total
            expected = (each[:, None] * each[None, :] * distance).sum(axis=(0, 1)) / (total * (total - 1))
            alpha: Floats = 1 - observed / expected
        return alpha

    return coincidences, of


def _distances(each: Floats, scale: Scale) -> Floats:
    """Krippendorff's squared distances for values that occur ``each`` (values, k) times, (values, values, k)."""
    values, k = each.shape
    if scale is Scale.NOMINAL:
        return np.broadcast_to(1 - np.eye(values)[:, :, None], (values, values, k))
    # From the middle of one value's ranks to the middle of the other's.
    middles = np.cumsum(each, axis=0) - each / 2
    squared: Floats = (middles[:, None] - middles[None, :]) ** 2
    return squared


def _ac(codes: Codes, values: int, weights: Floats) -> tuple[Floats, Callable[[Floats], Floats]]:
    votes = _votes(codes, values)
    agreed, twice = _per_pair((votes * (votes @ weights - 1)).sum(axis=1), votes)
    shares = votes / np.maximum(votes.sum(axis=1), 1)[:, None]
    features = np.column_stack([agreed, twice, shares])

    def of(sums: Floats) -> Floats:
        observed, shares = sums[0] / sums[1], sums[2:] / sums[2:].sum(axis=0)
        chance = weights.sum() / (values * (values - 1)) * (shares * (1 - shares)).sum(axis=0)
        coefficient: Floats = (observed - chance) / (1 - chance)
        return coefficient

    return features, of
