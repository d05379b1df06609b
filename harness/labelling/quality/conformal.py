"""Sets of severities that hold the true one with a guarantee: split conformal prediction, class by class.

Calibrated on each class's own rows (Vovk 2012, arXiv 1209.2673; Sadinle, Lei and Wasserman 2019,
doi 10.1080/01621459.2017.1395341), so that "critical is in the set" holds for critical complaints and not only on
average over a data set that is mostly mild. It holds for complaints that come as the calibrating ones came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...core.settings import Record
from ...severity import SEVERITIES

LEVEL = 95.0
"""Percent of each severity's complaints whose set holds it."""
SPLITS = 200
"""Random halves over which coverage is measured: one half calibrates, the other is asked."""
_DIGITS = 9
"""Probabilities that agree so far are equal: sources that know few degrees of sureness tie but for noise."""
_SEED = 0
Floats = npt.NDArray[np.float64]
Sets = npt.NDArray[np.bool_]


class Bar(Record):
    """From which probability on a severity is in the set; at the very bar, for the share ``ties`` of the texts.

    ``probability`` None: too few rows to leave it out of any set. ``rows`` calibrated it.
    """

    probability: float | None
    ties: float
    rows: int


class Conformal(Record):
    """Bars by rank, the mildest first, and what they gave over ``SPLITS`` random halves of the card's rows.

    Attributes:
        level: the percentage promised.
        bars: of the three severities.
        coverage: percent of each severity's rows whose set held it; None where there is no such row.
        size: severities in a set, on average.
        undecided: percent of the rows whose set is not of exactly one severity.
    """

    level: float
    bars: tuple[Bar, ...]
    coverage: tuple[float | None, ...]
    size: float
    undecided: float


def conformal(probabilities: Floats, truth: npt.NDArray[np.int8], level: float = LEVEL) -> Conformal:
    """Calibrate on n rows of probabilities (n, 3) with true ranks (n,) that the source was not fitted to."""
    rng = np.random.default_rng(_SEED)
    held, asked = np.zeros(3), np.zeros(3)
    sizes, single = [], []
    for _ in range(SPLITS if len(truth) > 1 else 0):
        order = rng.permutation(len(truth))
        half, rest = np.array_split(order, 2)
        found = sets(probabilities[rest], calibrate(probabilities[half], truth[half], level), rng.random(len(rest)))
        hits = found[np.arange(len(rest)), truth[rest]]
        held += [hits[truth[rest] == rank].sum() for rank in range(3)]
        asked += [(truth[rest] == rank).sum() for rank in range(3)]
        sizes.append(found.sum(axis=1).mean())
        single.append((found.sum(axis=1) == 1).mean())
    coverage = tuple(float(100 * held[rank] / asked[rank]) if asked[rank] else None for rank in range(3))
    return Conformal(
        level=level,
        bars=calibrate(probabilities, truth, level),
        coverage=coverage,
        size=float(np.mean(sizes)) if sizes else 3.0,
        undecided=float(100 * (1 - np.mean(single))) if single else 100.0,
    )


def calibrate(probabilities: Floats, truth: npt.NDArray[np.int8], level: float) -> tuple[Bar, ...]:
    """The bar of each severity from the probabilities that its own rows gave it.

    A severity is left out of a set where its conformal p-value, smoothed over ties by a uniform number of the row,
    is at most 1 - level: so it is held in the promised share and at most 1 / (rows + 1) more.
    """
    return tuple(_bar(probabilities[truth == rank, rank], 1 - level / 100) for rank in range(3))


def _bar(own: Floats, alpha: float) -> Bar:
    own = np.sort(own.round(_DIGITS))
    budget = alpha * (len(own) + 1)
    if budget < 1:
        return Bar(probability=None, ties=1.0, rows=len(own))
    values, firsts, sizes = np.unique(own, return_index=True, return_counts=True)
    # The first value whose p-value can exceed alpha: rows below it, and it with its ties and the new row itself.
    place = int(np.argmax(firsts + sizes + 1 > budget))
    ties = 1 - max(0.0, (budget - firsts[place]) / (sizes[place] + 1))
    return Bar(probability=float(values[place]), ties=float(ties), rows=len(own))


def sets(probabilities: Floats, bars: Sequence[Bar], uniform: Floats) -> Sets:
    """Which severities each set holds, shape (n, 3).

    Args:
        uniform: of each row a number from 0 to 1 that says on which side of a tie it falls, shape (n,).
    """
    rounded = probabilities.round(_DIGITS)
    held = np.ones(probabilities.shape, dtype=bool)
    for rank, bar in enumerate(bars):
        if bar.probability is not None:
            own = rounded[:, rank]
            held[:, rank] = (own > bar.probability) | ((own == bar.probability) & (uniform < bar.ties))
    return held


def uniform_of(texts: Sequence[str]) -> Floats:
    """A number from 0 to 1 of each text, the same on every machine, shape (n,)."""
    digests = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8] for text in texts)
    return np.array([int.from_bytes(digest, "big") / 2**64 for digest in digests])


def set_names(held: Sets) -> list[str]:
    """Each set in words, the most severe first: ``critical|neutral``; empty for a set that holds none."""
    ordered = sorted(SEVERITIES, key=lambda severity: -severity.rank)
    words = ["|".join(str(each) for each in ordered if code >> each.rank & 1) for code in range(8)]
    return [words[code] for code in held @ np.array([1, 2, 4])]
