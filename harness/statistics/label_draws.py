"""Other samples of a difference per stratum: over questions by bootstrap, over trainings by Student's draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import special

from .bootstrap import Floats, counts
from .columns import STRATA


@dataclass(frozen=True)
class Sample:
    """A difference per question, and the stratum of each.

    Attributes:
        blocks: as in ``crossed.squares_of``; empty where one training of each side was compared.
        changes: each question's mean difference, shape (n,), in points.
        codes: each question's place in ``SEVERITIES``.
        clusters: which questions belong together, numbered from 0, shape (n,); None where each stands alone.
    """

    blocks: Sequence[Floats]
    changes: Floats
    codes: npt.NDArray[np.int64]
    clusters: npt.NDArray[np.int64] | None = None

    @cached_property
    def strata(self) -> list[Floats]:
        """The differences of each severity, the smallest first."""
        return [self.changes[rows] for rows in self._rows]

    @cached_property
    def _rows(self) -> list[npt.NDArray[np.int64]]:
        """Places of each severity's questions, those with the smallest differences first."""
        order = np.argsort(self.changes, kind="stable")
        return [order[self.codes[order] == place] for place in range(len(STRATA) - 1)]

    def drawn(self, place: int, draws: int, seed: int) -> Iterator[Floats]:
        """How often each of a severity's questions is drawn, in chunks of shape (some draws, n).

        Questions that belong together are drawn as one, in all severities at once.
        """
        rows = self._rows[place]
        if self.clusters is None:
            yield from counts(len(rows), draws, np.random.default_rng([seed, place]))
            return
        own = self.clusters[rows]
        for times in counts(int(self.clusters.max()) + 1, draws, np.random.default_rng([seed, len(STRATA)])):
            yield times[:, own]

    def units(self, place: int) -> int:
        """What a severity is drawn from: questions, or clusters."""
        rows = self._rows[place]
        return len(rows) if self.clusters is None else len(np.unique(self.clusters[rows]))

    def lengthened(self, place: int) -> float:
        """By how much the bootstrap of a severity's mean is too short: the root of (n - 1) / n, and a normal for
        Student's quantile (Hesterberg 2015, doi 10.1080/00031305.2015.1089789)."""
        n = self.units(place)
        return float(np.sqrt(n / (n - 1)) * special.stdtrit(n - 1, 0.975) / special.ndtri(0.975))

    @property
    def means(self) -> Floats:
        """Of each severity, shape (3,)."""
        return np.array([each.mean() for each in self.strata])


@dataclass(frozen=True)
class Drawn:
    """``means`` of the strata, shape (draws, 3); ``trainings`` what other trainings add to each, (draws, 3)."""

    means: Floats
    trainings: Floats
    seed: int


def drawn_means(sample: Sample, draws: int, seed: int) -> Drawn:
    """Draw questions with replacement and trainings by their spread.

    Draws of questions are moved out by as much as the bootstrap is too short. Trainings are too few to draw
    from: they have Student's distribution with their own covariance between strata, since one training moves all of
    them. Of the covariance (f - 1) / (f + 2) of what single answers vary by is taken off, as in
    ``crossed.Squares``, with f the degrees of freedom between trainings.
    """
    means = []
    strata = sample.strata
    for place, values in enumerate(strata):
        drawn = np.concatenate([_mean(values, times) for times in sample.drawn(place, draws, seed)])
        longer = sample.lengthened(place)
        means.append(values.mean() + longer * _lengthened(sample, place) * (drawn - values.mean()))
    trainings = np.zeros((draws, len(strata)))
    for number, block in enumerate(sample.blocks):
        trainings += _over_trainings(block, sample.codes, draws, np.random.default_rng([seed, 10 + number]))
    return Drawn(np.column_stack(means) + trainings, trainings, seed)


def _mean(values: Floats, times: Floats) -> Floats:
    """Of each draw; where clusters are drawn, one may hold no question of a severity, and stands for no other."""
    total = times.sum(axis=1)
    mean: Floats = np.divide(times @ values, total, out=np.full(len(times), values.mean()), where=total > 0)
    return mean


def _lengthened(sample: Sample, place: int) -> float:
    """How much longer the spread over questions has to be where it is below that of single answers."""
    if not sample.blocks or sample.clusters is not None:
        return 1.0
    rows = sample.codes == place
    own = float(sample.changes[rows].var(ddof=1)) / int(rows.sum())
    answers: float = sum(_answers(block[:, rows]) for block in sample.blocks)
    return float(np.sqrt(max(1.0, answers / own))) if own > 0 else 1.0


def _answers(part: Floats) -> float:
    """Squared error that single answers leave in the mean of a block's stratum (trainings, questions)."""
    k, n = part.shape
    rest = part - part.mean(axis=0) - part.mean(axis=1, keepdims=True) + part.mean()
    return float((rest**2).sum() / ((k - 1) * (n - 1) * k * n))


def _over_trainings(block: Floats, codes: npt.NDArray[np.int64], draws: int, rng: np.random.Generator) -> Floats:
    parts = [block[:, codes == place] for place in range(len(STRATA) - 1)]
    k = len(block)
    by_training = np.column_stack([part.mean(axis=1) for part in parts])
    freedom = k - 1
    spread = np.cov(by_training, rowvar=False) / k
    spread = spread - (freedom - 1) / (freedom + 2) * np.diag([_answers(part) for part in parts])
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0))
    scale = np.sqrt(freedom / rng.chisquare(freedom, (draws, 1)))
    moved: Floats = (rng.standard_normal((draws, len(parts))) @ root.T) * scale
    return moved
