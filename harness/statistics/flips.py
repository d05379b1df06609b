"""Mean differences under flipped signs: every sign vector of few answers, random ones of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..severity import SEVERITIES
from .bootstrap import Floats, flipped_means
from .clusters import Units
from .columns import Block
from .resampling import Resampling

ENUMERATED = 20
"""Up to so many answers, or clusters of them, all sign vectors are gone through: 2^19, as the opposite of each says
the same."""

# Keeps the random signs apart from the bootstrap's random rows.
_SIGNS = 1
# Flipped means that are held at once (32 MB).
_CELLS = 4_000_000


@dataclass(frozen=True)
class Flips:
    """k columns of differences under the same sign vectors.

    Attributes:
        means: as observed, shape (k,).
        flipped: under each sign vector, shape (k, vectors).
        balance: each vector's mean sign, shape (vectors,).
        exact: whether the vectors are all there are, up to their opposites, the observed one among them; else they
            are drawn at random.
    """

    means: Floats
    flipped: Floats
    balance: Floats
    exact: bool


def flips_of(changes: Block, places: Sequence[int], resampling: Resampling) -> dict[int, Iterator[Flips]]:
    """The flips of these places in ``STRATA``, in parts that hold some of the columns each, in order.

    Overall takes the signs of its strata. Equal seed and size draw equal signs; more resamples continue the stream.
    Questions of one cluster have one sign, overall too, where it may lie in several strata; then each place has
    signs of its own.

    Args:
        changes: differences, one column per test.
        places: those wanted.
        resampling: how many random vectors, and their seed.
    """
    units = {place: changes.units(place) for place in {*places, *changes.places()}}
    few = [place for place in places if len(units[place].sizes) <= ENUMERATED]
    found = {place: every_flip(units[place].totals, units[place].sizes) for place in few}
    if changes.clusters is not None:
        return found | {
            place: iter([_drawn(units[place], place, resampling)]) for place in places if place not in few
        }
    whole = len(SEVERITIES) in places and len(SEVERITIES) not in few
    strata = [place for place in changes.places() if whole or (place in places and place not in few)]
    drawn = {place: _drawn(units[place], place, resampling) for place in strata}
    found |= {place: iter([flips]) for place, flips in drawn.items() if place in places and place not in few}
    if whole:
        found[len(SEVERITIES)] = iter([_pooled(changes, drawn)])
    return found


def every_flip(values: Floats, sizes: Floats | None = None) -> Iterator[Flips]:
    """The means of the columns of ``values`` (m, k) under all sign vectors of which the last sign is plus.

    Sums of the first half of the rows and of the second are made apart, and each of one added to each of the
    other.

    Args:
        sizes: how many answers each row is the sum of, shape (m,); one each by default.
    """
    m, columns = values.shape
    sizes = np.ones(m) if sizes is None else sizes
    n, cut = int(sizes.sum()), m // 2
    first, second = _every(cut), _every(m - cut)[: 2 ** (m - cut - 1)]
    balance = ((first @ sizes[:cut])[:, None] + second @ sizes[cut:]).ravel() / n
    some = max(1, _CELLS // len(balance))
    for start in range(0, columns, some):
        part = values[:, start : start + some]
        sums = (part[:cut].T @ first.T)[:, :, None] + (part[cut:].T @ second.T)[:, None, :]
        yield Flips(part.sum(axis=0) / n, sums.reshape(part.shape[1], -1) / n, balance, exact=True)


def _every(n: int) -> Floats:
    """All sign vectors (2^n, n), the last half with a minus at the end."""
    patterns = np.arange(2**n)[:, None] >> np.arange(n) & 1
    return 1.0 - 2.0 * patterns.astype(np.float64)


def _drawn(units: Units, place: int, resampling: Resampling) -> Flips:
    rng = np.random.default_rng([resampling.seed, place, _SIGNS])
    means = flipped_means(np.column_stack([units.totals, units.sizes]), resampling.resamples, rng, units.n)
    return Flips(units.means, means[:-1], means[-1], exact=False)


def _pooled(changes: Block, strata: dict[int, Flips]) -> Flips:
    shares = {place: len(changes.stratum(place)) / len(changes.values) for place in strata}
    return Flips(
        changes.values.mean(axis=0),
        np.sum([flips.flipped * shares[place] for place, flips in strata.items()], axis=0),
        np.sum([flips.balance * shares[place] for place, flips in strata.items()], axis=0),
        exact=False,
    )
