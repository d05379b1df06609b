"""The stratified bootstrap of means: one counts matrix per stratum, shared by all metrics and systems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .resampling import Resampling

Floats = npt.NDArray[np.float64]

# Cells of a counts matrix that are held at once (32 MB), whatever the number of rows and resamples.
_CELLS = 4_000_000


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
        resampled_means(
            sample, counts(len(sample), resampling.resamples, np.random.default_rng([resampling.seed, stream]))
        )
        for sample, stream in zip(samples, streams, strict=True)
    ]
    return Resampled(samples, means)


def counts(n: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each of n rows occurs in each resample, in chunks of shape (some, n)."""
    for some in _chunks(n, resamples):
        draws = rng.integers(0, n, (some, n))
        draws += np.arange(0, some * n, n)[:, None]
        chunk: Floats = np.bincount(draws.ravel(), minlength=some * n).reshape(some, n).astype(np.float64)
        yield chunk


def signs(n: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Random signs, -1 or 1, for n rows, in chunks of shape (some, n)."""
    for some in _chunks(n, resamples):
        bits = np.unpackbits(np.frombuffer(rng.bytes(-(-some * n // 8)), np.uint8), count=some * n)
        yield bits.reshape(some, n).astype(np.float64) * 2 - 1


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
