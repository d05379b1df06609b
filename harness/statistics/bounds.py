"""What wrong labels leave open at worst: bounds of a mean per true severity that assume nothing."""

from __future__ import annotations

import numpy as np

from .bootstrap import Floats
from .label_draws import Drawn, Sample


def worst_case(sample: Sample, matrices: Floats, drawn: Drawn | None) -> tuple[Floats, Floats]:
    """The least and the largest mean over the questions that are truly of each severity, both (draws, 3).

    Of the rows called t a share P(s | t) is truly s, and nothing says which: at worst those with the smallest
    differences, at best those with the largest. Their means are trimmed means, which are sharp bounds (Horowitz and
    Manski 1995, doi 10.2307/2951627); over the labels they are weighted by how many of the rows truly s each holds.

    Args:
        sample: the differences.
        matrices: P(true | label), shape (draws, label, true).
        drawn: the draws of the questions; None for the questions as they are.
    """
    strata = sample.strata
    sizes = np.array([len(values) for values in strata], np.float64)
    held = sizes[None, :, None] * matrices
    total = held.sum(axis=1)
    least, most = np.zeros(total.shape), np.zeros(total.shape)
    for place, values in enumerate(strata):
        wanted = held[:, place]
        moved = 0.0 if drawn is None else drawn.trainings[:, place, None]
        whole = [np.ones((1, len(values)))]
        chunks = whole if drawn is None else sample.drawn(place, len(drawn.means), drawn.seed)
        start = 0
        for times in chunks:
            rows = slice(start, start := start + len(times))
            # Clusters of many questions make a draw of more rows than there are.
            scale = np.maximum(times.sum(axis=1, keepdims=True), 1) / len(values)
            least[rows] += _sum_of_first(values, times, wanted[rows] * scale) / scale
            most[rows] += _sum_of_first(values[::-1], times[:, ::-1], wanted[rows] * scale) / scale
        least += wanted * moved
        most += wanted * moved
    share = np.maximum(total, np.finfo(float).tiny)
    return least / share, most / share


def _sum_of_first(values: Floats, times: Floats, wanted: Floats) -> Floats:
    """Sums over the first rows of each draw, ``wanted`` (draws, 3) of them, the last one in part."""
    before = np.cumsum(times, axis=1) - times
    sums = [np.clip(wanted[:, place, None] - before, 0, times) @ values for place in range(wanted.shape[1])]
    return np.column_stack(sums)
