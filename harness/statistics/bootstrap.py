"""The stratified bootstrap of means: one counts matrix per stratum, shared by all metrics and systems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .resampling import Resampling

Floats = npt.NDArray[np.float64]

# Cells of a counts matrix that are held at once (32 MB), whatever the number of rows and resamples.
_CELLS = 4_000_000
# Cells of counts matrices that are kept within ``drawn_once``, a byte each.
_KEPT_CELLS = 400_000_000
# Whole numbers up to here are exact in single precision.
_EXACT = 2**24
# The eight signs of a byte's bits.
_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float64) * 2 - 1
_OF_BYTE_SINGLE = _OF_BYTE.astype(np.float32)
# Rows of eight signs that are looked up at once, so that they stay near the processor.
_NEAR = 1 << 14

_Key = tuple[int, int, Resampling]
_kept: ContextVar[dict[_Key, list[npt.NDArray[np.unsignedinteger]]] | None] = ContextVar("kept", default=None)


@dataclass(frozen=True)
class Resampled:
    """k columns of scores cut into strata, and the resampled mean of each column in each stratum.

    ``samples[s]`` has shape (n_s, k), ``means[s]`` shape (k, resamples). A stratum is resampled within itself, so
    the sizes of the strata never vary, and every column sees the same resamples. ``together`` says which rows are
    drawn as one; None for each alone.
    """

    samples: Sequence[Floats]
    means: Sequence[Floats]
    together: Together | None = None

    @property
    def fewest(self) -> int:
        """What the smallest stratum is drawn from: rows, or clusters."""
        drawn = self.samples if self.together is None else list(map(np.unique, self.together.clusters))
        return min(map(len, drawn))

    def drawn(self, influence: Sequence[Floats]) -> list[Floats]:
        """What each thing that is drawn contributes, one array per stratum that it is drawn within, from what each
        row does, one (n_s, k) per stratum: sums over clusters."""
        return list(influence) if self.together is None else self.together.sums(influence)


@dataclass(frozen=True)
class Together:
    """Which rows are drawn as one: ``clusters`` has the number of each row's, one array per stratum, ``pieces``
    (m,) among which others each of all m clusters is drawn."""

    clusters: Sequence[npt.NDArray[np.int64]]
    pieces: npt.NDArray[np.int64]

    def sums(self, rows: Sequence[Floats]) -> list[Floats]:
        """Sums of ``rows``, one (n_s, k) per stratum, by cluster: one (m_p, k) per piece that has any."""
        found = np.zeros((len(self.pieces), rows[0].shape[1]))
        for some, clusters in zip(rows, self.clusters, strict=True):
            np.add.at(found, clusters, some)
        there = np.unique(self.pieces[np.concatenate(self.clusters)])
        return [found[self.pieces == piece] for piece in there]


def resample(samples: Sequence[Floats], streams: Sequence[int], resampling: Resampling) -> Resampled:
    """Bootstrap the column means of every stratum.

    Args:
        samples: one array (n_s, k) per stratum.
        streams: one number per stratum; equal seed, stream and n_s draw equal resamples.
        resampling: how many, and the seed of the random numbers.
    """
    means = [
        resampled_means(sample, _counted(len(sample), stream, resampling))
        for sample, stream in zip(samples, streams, strict=True)
    ]
    return Resampled(samples, means)


@contextmanager
def drawn_once() -> Iterator[None]:
    """Within, equal resamples are drawn once: their counts are kept, up to 400 MB, and no number changes."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def _counted(n: int, stream: int, resampling: Resampling) -> Iterator[Floats]:
    rng = np.random.default_rng([resampling.seed, stream])
    kept, key = _kept.get(), (n, stream, resampling)
    if kept is None:
        return counts(n, resampling.resamples, rng)
    if key not in kept:
        held = sum(rows * each.resamples for rows, _, each in kept)
        if held + n * resampling.resamples > _KEPT_CELLS:
            return counts(n, resampling.resamples, rng)
        drawn = _whole_counts(n, resampling.resamples, rng)
        kept[key] = [chunk.astype(np.min_scalar_type(int(chunk.max()))) for chunk in drawn]
    return (chunk.astype(np.float64) for chunk in kept[key])


def counts(n: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each of n rows occurs in each resample, in chunks of shape (some, n)."""
    return (chunk.astype(np.float64) for chunk in _whole_counts(n, resamples, rng))


def _whole_counts(n: int, resamples: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    for some in _chunks(n, resamples):
        draws = rng.integers(0, n, (some, n))
        draws += np.arange(0, some * n, n)[:, None]
        yield np.bincount(draws.ravel(), minlength=some * n).reshape(some, n)


def signs(n: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Random signs, -1 or 1, for n rows, in chunks of shape (some, n)."""
    for some in _chunks(n, resamples):
        packed = np.frombuffer(rng.bytes(-(-some * n // 8)), np.uint8)
        yield _OF_BYTE.take(packed, axis=0).ravel()[: some * n].reshape(some, n)


def flipped_means(values: Floats, resamples: int, rng: np.random.Generator, n: int) -> Floats:
    """``resampled_means`` under random ``signs``: (k, resamples).

    Sums of whole numbers, as of rates, are exact in any order and in single precision: they are made of few rows at
    a time, which is several times as fast and gives the same numbers.
    """
    rows = len(values)
    if np.any(values != np.rint(values)) or np.abs(values).sum(axis=0).max() >= _EXACT:
        return resampled_means(values, signs(rows, resamples, rng), n)
    single = np.ascontiguousarray(values.T, dtype=np.float32)
    sums = np.empty((values.shape[1], resamples))
    # Eight rows of signs end with a byte.
    near, start = 8 * max(1, _NEAR // rows), 0
    for some in _chunks(rows, resamples):
        packed = np.frombuffer(rng.bytes(-(-some * rows // 8)), np.uint8)
        for first in range(0, some, near):
            last = min(first + near, some)
            part = _OF_BYTE_SINGLE.take(packed[first * rows // 8 : -(-last * rows // 8)], axis=0)
            drawn = part.ravel()[: (last - first) * rows].reshape(last - first, rows)
            sums[:, start + first : start + last] = single @ drawn.T
        start += some
    return sums / n


def resampled_means(values: Floats, weights: Iterable[Floats], n: int | None = None) -> Floats:
    """Means of the columns of ``values`` (n, k) under each row of weights (counts or signs): (k, resamples).

    Args:
        n: what sums are divided by, where a row of ``values`` is a sum itself.
    """
    transposed = np.ascontiguousarray(values.T)
    return np.concatenate([transposed @ chunk.T for chunk in weights], axis=1) / (n or len(values))


def _chunks(n: int, resamples: int) -> Iterator[int]:
    size = max(1, _CELLS // n)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)
