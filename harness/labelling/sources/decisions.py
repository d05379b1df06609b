"""Which severity a source calls a complaint: the most probable, or the least costly where errors have a price."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ...data.labels import Ranks, most_likely
from .base import Probabilities, SeveritySource

Costs = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
"""``costs[true][assigned]`` by rank, the mildest first: what it costs to call a complaint so that is otherwise."""


@runtime_checkable
class CostlySource(SeveritySource, Protocol):
    """A source that decides by the least expected cost. ``costs`` None: the most probable severity."""

    @property
    def costs(self) -> Costs | None: ...


def triage_costs(under: float) -> Costs:
    """A step costs 1, but the one by which an emergency is missed costs ``under``.

    So a complaint is called critical from a probability of 1 / (1 + under) on, once it is more likely than not more
    than non-critical. Of whom trauma care calls under-triaged are the severe alone, and so here.
    """
    return ((0.0, 1.0, 2.0), (1.0, 0.0, 1.0), (under + 1, under, 0.0))


def costs_of(source: SeveritySource) -> Costs | None:
    """What errors cost a source, None where it does not say."""
    return source.costs if isinstance(source, CostlySource) else None


def least_costly(probabilities: Probabilities, costs: Costs | None) -> Ranks:
    """Ranks of the least expected cost by probabilities of shape (n, 3); without costs those of the largest one.

    Ties go to the more severe.
    """
    if costs is None:
        return most_likely(probabilities)
    expected = probabilities @ np.array(costs)
    ranks: Ranks = (2 - np.argmin(expected[:, ::-1].round(12), axis=1)).astype(np.int8)
    return ranks


def called(source: SeveritySource, probabilities: Probabilities, unknown: npt.ArrayLike) -> Ranks:
    """Ranks that a source calls complaints of these probabilities, shape (n, 3).

    Those of ``unknown`` ones are the prior's, of which no cost makes an emergency.
    """
    decided = least_costly(probabilities, costs_of(source))
    return np.where(unknown, most_likely(probabilities), decided).astype(np.int8)
