"""Questions that belong together: near-duplicates, paraphrases of one case, one consultation.

What they show is not independent, so they are drawn, flipped and counted as one. A cluster whose questions lie in
several severities stays one: each severity takes its part of it, and what is over all severities the whole.

The variance of a mean is from the clusters' totals of deviations (the linearised ratio estimator; Cochran, Sampling
Techniques, 3rd edition 1977, section 6.4). Its correction is exact if a cluster's questions deviate as one, and
m / (m - 1) for m clusters of one size. Degrees of freedom are those of the effective number of clusters,
(Σ w²)² / Σ w⁴ of sizes w (Carter, Schnepel and Steigerwald 2017, doi 10.1162/REST_a_00639).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ..scores.table import CLUSTER, ScoreTable
from .bootstrap import Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """What is flipped as one: m clusters, or single questions. ``totals`` of the values, shape (m, k), and
    ``sizes`` in questions, shape (m,)."""

    totals: Floats
    sizes: Floats

    @property
    def n(self) -> int:
        """Questions in all."""
        return int(self.sizes.sum())

    @property
    def means(self) -> Floats:
        """Over questions, shape (k,)."""
        means: Floats = self.totals.sum(axis=0) / self.n
        return means


@dataclass(frozen=True)
class Clustered:
    """How far one column of n values departs from independence.

    Attributes:
        clusters: how many they are. largest: questions of the largest.
        icc: intraclass correlation by analysis of variance (Donner and Koval 1980, doi 10.2307/2530492); None where
            no value varies. Below 0 it is chance.
        design_effect: how many times the variance is that of independent values, 1 + (w - 1) · icc, at least 1,
            with
            w = Σ w² / n the mean size of a question's cluster (Kish, Survey Sampling, 1965, section 5.4);
            one cluster counts as one question.
        effective_n: n / design_effect.
        error: standard error of the mean; None for one cluster. freedom: its degrees of freedom.
    """

    clusters: int
    largest: int
    icc: float | None
    design_effect: float
    effective_n: float
    error: float | None
    freedom: float | None


def units_of(values: Floats, clusters: Ints | None) -> Units:
    """``values`` (n, k) as units; without clusters every question is one."""
    if clusters is None:
        return Units(values, np.ones(len(values)))
    return Units(totals(values, clusters), totals(np.ones((len(values), 1)), clusters)[:, 0])


def totals(values: Floats, clusters: Ints) -> Floats:
    """Sums of ``values`` (n, k) by cluster, in the order of the clusters' numbers, shape (m, k)."""
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    sums: Floats = np.add.reduceat(values[order], starts, axis=0)
    return sums


def spread_of(sizes: Floats) -> tuple[float, float]:
    """By what the sum of the clusters' squared totals of deviations is multiplied to be unbiased, and its degrees
    of freedom, at least 1.

    Args:
        sizes: of two or more clusters.
    """
    n, squares = float(sizes.sum()), sizes**2
    kept = 1 - 2 * float((sizes**3).sum()) / (n * squares.sum()) + float(squares.sum()) / n**2
    return 1 / kept, max(1.0, float(squares.sum() ** 2 / (squares**2).sum()) - 1)


def clustered(values: Floats, clusters: Ints, strata: Ints | None = None) -> Clustered:
    """What clusters do to the mean of one column.

    Args:
        values: shape (n,).
        clusters: each question's.
        strata: each question's severity, whose shares and means are taken as fixed.
    """
    rest = values - _centres(values, strata)
    units = units_of(rest[:, None], clusters)
    sizes, m, n = units.sizes, len(units.sizes), len(values)
    mean_size = float((sizes**2).sum()) / n
    icc = _icc(rest, units.totals[:, 0], sizes)
    # Of one cluster nothing tells how alike its questions are: they count as one.
    effect = 1 + (mean_size - 1) * (1.0 if m == 1 else max(icc or 0.0, 0.0))
    error = freedom = None
    if m > 1:
        factor, freedom = spread_of(sizes)
        error = float((factor * (units.totals**2).sum()) ** 0.5) / n
    return Clustered(m, int(sizes.max()), icc, effect, n / effect, error, freedom)


def alone(values: Floats, clusters: Ints) -> Floats:
    """As many independent values as there are clusters, shape (m, k), with the mean of ``values`` (n, k) and the
    variance of that mean: each cluster's total of deviations, as a deviation from it."""
    means = values.mean(axis=0)
    units = units_of(values - means, clusters)
    found: Floats = means + units.totals * (len(units.sizes) / len(values))
    return found


def variance_of_mean(values: Floats, clusters: Ints | None) -> Floats:
    """Of the columns of ``values`` (n, k), shape (k,); infinite for one cluster, of which nothing is known."""
    n = len(values)
    if clusters is None:
        single: Floats = values.var(axis=0, ddof=1) / n
        return single
    units = units_of(values - values.mean(axis=0), clusters)
    if len(units.sizes) < 2:
        return np.full(values.shape[1], np.inf)
    found: Floats = spread_of(units.sizes)[0] * (units.totals**2).sum(axis=0) / n**2
    return found


def effective_sizes(values: Floats, clusters: Ints, level: float) -> Floats:
    """Of how many independent events a rate over clusters is worth, shape (k,), for intervals of counts.

    Korn and Graubard 1998 (Survey Methodology 24:193): n times the variance of independent values over that of
    these, at most n, and the quotient of both Student's quantiles squared. Where no value varies nothing is known
    of the clusters, and a cluster's questions count as one: n² / Σ w². NaN for one cluster.

    Args:
        values: shape (n, k).
        clusters: each question's.
        level: of the interval.
    """
    n = len(values)
    rest = values - values.mean(axis=0)
    units = units_of(rest, clusters)
    if len(units.sizes) < 2:
        return np.full(values.shape[1], np.nan)
    factor, freedom = spread_of(units.sizes)
    ours = factor * (units.totals**2).sum(axis=0)
    single = (rest**2).sum(axis=0) * n / (n - 1)
    as_one = float((units.sizes**2).sum()) / n
    effect = np.maximum(1.0, np.divide(ours, single, out=np.full_like(ours, as_one), where=single > 0))
    wanted = (1 + level) / 2
    shorter = float(special.stdtrit(n - 1, wanted) / special.stdtrit(freedom, wanted)) ** 2
    found: Floats = n / effect * shorter
    return found


def _centres(values: Floats, strata: Ints | None) -> Floats | float:
    if strata is None:
        return float(values.mean())
    return (np.bincount(strata, values) / np.maximum(np.bincount(strata), 1))[strata]


def _icc(values: Floats, sums: Floats, sizes: Floats) -> float | None:
    """From the mean squares between and within clusters; None where there is only one kind, or none."""
    n, m = float(sizes.sum()), len(sizes)
    if m < 2 or n <= m:
        return None
    grand = float(values.mean())
    between = float((sizes * (sums / sizes - grand) ** 2).sum()) / (m - 1)
    within = (float(((values - grand) ** 2).sum()) - between * (m - 1)) / (n - m)
    usual = (n - float((sizes**2).sum()) / n) / (m - 1)
    total = between + (usual - 1) * within
    return (between - within) / total if total > 0 else None


def numbered(names: npt.NDArray[Any]) -> Ints | None:
    """Clusters as numbers from 0; None where every question is one of its own, as one without a name is."""
    numbers = _numbers(names)
    return numbers if len(numbers) and numbers.max() + 1 < len(numbers) else None


def _numbers(names: npt.NDArray[Any]) -> Ints:
    """By first appearance."""
    found = pd.factorize(names)[0].astype(np.int64)
    found[found < 0] = len(found) + np.flatnonzero(found < 0)
    return pd.factorize(found)[0].astype(np.int64)


def sharing_clusters(tables: Sequence[ScoreTable]) -> list[ScoreTable]:
    """The tables, and those that say nothing of clusters with the clusters of one that does, if it has all their
    ids: what belongs together is a matter of the questions, not of who answers."""
    known = next((table.frame for table in tables if CLUSTER in table.frame), None)
    if known is None:
        return list(tables)
    clusters = known.drop_duplicates("id").set_index("id")[CLUSTER]
    return [
        ScoreTable(table.frame.assign(**{CLUSTER: table.frame["id"].map(clusters)}), table.signatures, table.safe)
        if CLUSTER not in table.frame and table.frame["id"].isin(clusters.index).all()
        else table
        for table in tables
    ]


def split_otherwise(first: ScoreTable, second: ScoreTable) -> str | None:
    """An id that two tables put together with other ids, of those that both have; None where they agree, or where
    one says nothing. The clusters' names do not matter."""
    if CLUSTER not in first.frame or CLUSTER not in second.frame:
        return None
    one, other = (
        table.frame.drop_duplicates("id").set_index("id")[CLUSTER].sort_index() for table in (first, second)
    )
    ids = one.index.intersection(other.index)
    numbers = [_numbers(each[ids].to_numpy()) for each in (one, other)]
    moved = np.flatnonzero(numbers[0] != numbers[1])
    return str(ids[moved[0]]) if len(moved) else None
