"""The bootstrap of whole clusters: a resample draws as many clusters as there are, with all their questions.

Clusters are drawn among those of the same most severe severity, as strata are resampled within themselves. A
severity's mean in a resample is over the questions of it that were drawn (a ratio; Davison and Hinkley 1997,
section 3.8), as observed where none was. All severities see the same draws, since a cluster may lie in several.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..severity import SEVERITIES
from .bootstrap import Floats, Resampled, Together, counts
from .clusters import Ints, totals
from .resampling import Resampling

_OVERALL = len(SEVERITIES)


def resampled_clusters(values: Floats, codes: Ints, clusters: Ints, resampling: Resampling) -> dict[int, Resampled]:
    """The bootstrap of each place in ``STRATA`` that has two clusters.

    Overall keeps the severities apart, unless one has a single cluster, which cannot vary alone: then they are one.

    Args:
        values: shape (n, k).
        codes: each question's place in ``SEVERITIES``.
        clusters: each question's, numbered from 0.
    """
    if clusters.max() == 0:
        return {}
    severest = np.full(clusters.max() + 1, _OVERALL)
    np.minimum.at(severest, clusters, codes)
    rows = {int(place): codes == place for place in np.unique(codes)}
    many = [place for place, within in rows.items() if len(np.unique(clusters[within])) > 1]
    apart = len(many) == len(rows) and np.unique(severest, return_counts=True)[1].min() > 1
    pieces = severest if apart else np.full_like(severest, _OVERALL)
    strata = [rows[place] for place in many] + ([] if apart else [np.ones(len(values), bool)])
    means = _means(values, strata, clusters, pieces, resampling)
    parts = [
        Resampled([values[within]], [drawn], Together([clusters[within]], pieces))
        for within, drawn in zip(strata, means, strict=True)
    ]
    found = dict(zip(many, parts, strict=False))
    return found | {_OVERALL: joined(parts) if apart else parts[-1]}


def joined(parts: Sequence[Resampled]) -> Resampled:
    """The strata of several, which were drawn together."""
    together = [part.together for part in parts if part.together]
    return Resampled(
        [sample for part in parts for sample in part.samples],
        [means for part in parts for means in part.means],
        Together([each for part in together for each in part.clusters], together[0].pieces) if together else None,
    )


def _means(
    values: Floats, strata: Sequence[npt.NDArray[np.bool_]], clusters: Ints, pieces: Ints, resampling: Resampling
) -> list[Floats]:
    """The resampled means of each stratum, shape (k, resamples) each.

    Args:
        strata: the rows of each.
        pieces: of each cluster, shape (m,): it is drawn among those of the same number, which is the random stream.
    """
    columns = np.column_stack([values, np.ones(len(values))])
    sums = [totals(np.where(rows[:, None], columns, 0.0), clusters) for rows in strata]
    drawn = [np.zeros((columns.shape[1], resampling.resamples)) for _ in strata]
    for piece in np.unique(pieces):
        within = np.flatnonzero(pieces == piece)
        start = 0
        for chunk in counts(
            len(within), resampling.resamples, np.random.default_rng([resampling.seed, int(piece)])
        ):
            for each, total in zip(drawn, sums, strict=True):
                each[:, start : start + len(chunk)] += total[within].T @ chunk.T
            start += len(chunk)
    return [
        np.where(each[-1] > 0, each[:-1] / np.maximum(each[-1], 1.0), values[rows].mean(axis=0)[:, None])
        for each, rows in zip(drawn, strata, strict=True)
    ]
