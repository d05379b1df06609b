"""Several looks at growing data: how much of the level each may spend, and what a p is worth at one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

import numpy as np
from scipy import optimize, special

LEAST_STEP = 0.01
"""Information between two looks, as a share of the whole; of less the integration is not exact."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(201)
_FARTHEST = 38.0
"""Standard errors beyond which no normal probability is left in double precision."""


class Spending(StrEnum):
    """How a level is spread over looks (Lan and DeMets 1983, doi 10.1093/biomet/70.3.659).

    ``obrien-fleming`` hardly spends anything early, ``pocock`` nearly as much at every look.
    """

    OBRIEN_FLEMING = "obrien-fleming"
    POCOCK = "pocock"


def spent(spending: Spending, alpha: float, fraction: float) -> float:
    """What of a two-sided level ``alpha`` is spent at ``fraction`` of the information, half on each side."""
    if spending is Spending.POCOCK:
        return alpha * math.log1p((math.e - 1) * fraction)
    return float(4 * special.ndtr(special.ndtri(alpha / 4) / fraction**0.5))


def boundaries(spending: Spending, fractions: Sequence[float], alpha: float) -> list[float]:
    """By how many standard errors a difference must exceed 0 at each look, on either side.

    At each look the chance of crossing there for the first time is what that look spends. It is integrated look by
    look over the score process (Armitage, McPherson and Rowe 1969, doi 10.2307/2343787), by Gauss and Legendre.

    Args:
        spending: the function.
        fractions: information at the looks, rising by ``LEAST_STEP`` at least, up to 1.
        alpha: two-sided, below 1.
    """
    found: list[float] = []
    nodes, density = np.zeros(1), np.ones(1)
    before, gone = 0.0, 0.0
    for fraction in fractions:
        deviation, whole = (fraction - before) ** 0.5, fraction**0.5
        step = spent(spending, alpha, fraction) - gone

        def beyond(
            edge: float, nodes: np.ndarray = nodes, density: np.ndarray = density, sd: float = deviation
        ) -> float:
            return float(density @ (special.ndtr((-edge - nodes) / sd) + special.ndtr((nodes - edge) / sd)))

        edge = _FARTHEST * whole
        if beyond(0.0) <= step:
            edge = 0.0
        elif beyond(edge) < step:
            edge = float(optimize.brentq(lambda at, f=beyond, left=step: f(at) - left, 0.0, edge, xtol=1e-12))
        found.append(edge / whole)
        after = edge * _NODES
        kernel = np.exp(-(((after[:, None] - nodes) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
        density = edge * _WEIGHTS * (kernel @ density)
        nodes, before, gone = after, fraction, gone + step
    return found


def level_at(spending: Spending, fractions: Sequence[float], look: int, alpha: float) -> float:
    """The two-sided p below which a difference is found at a look, counted from 1."""
    return float(2 * special.ndtr(-boundaries(spending, fractions[:look], alpha)[-1]))


@lru_cache(maxsize=4096)
def repeated_p(p: float, spending: Spending, fractions: tuple[float, ...], look: int) -> float:
    """The smallest two-sided level at which a difference with this p would be found at this look.

    The chance that it is ever below α, at any look, is α at most (Jennison and Turnbull 1984,
    doi 10.1016/0197-2456(84)90148-X): it takes the place of p in Holm's adjustment and behind gates. Where there
    is one look it is p.

    Args:
        p: of this look's data alone.
        fractions: information at all looks that are planned, the last 1.
        look: which of them this is, from 1.
    """
    if len(fractions) == 1:
        return p
    most = 1 - 1e-9
    if p >= level_at(spending, fractions, look, most):
        return 1.0
    # No look has more than the whole level; a last look after idle ones has all of it but for rounding.
    low = max(p, 1e-300)
    if level_at(spending, fractions, look, low) >= p:
        return p
    found = optimize.brentq(
        lambda at: level_at(spending, fractions, look, math.exp(at)) - p, math.log(low), math.log(most), rtol=1e-10
    )
    return max(p, float(math.exp(found)))
