"""Whether annotators agree, the ceiling that puts on any classifier, and who labels unlike the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...statistics import Resampling
from ...statistics.agreement import Agreement, Codes, Scale, agreement
from .order import quadratic_kappa
from .texts import TextFound

_LEAST = 30
"""Rows of an annotator from which something can be said."""
_DRAWN = 499


@dataclass(frozen=True)
class RatersFound:
    """``ceiling``: the quadratic kappa with one annotator that a classifier without any error would reach, the root
    of the reliability (Spearman 1904, doi 10.2307/1412159)."""

    agreement: Agreement
    ceiling: float | None


@dataclass(frozen=True)
class Careless:
    """An annotator whose labels follow the others', or the text, far less than the others' do.

    ``p`` is by permutation of who labelled which row, times the annotators tested.
    """

    annotator: str
    rows: int
    kappa: float
    others: float
    p: float


def raters_found(codes: Codes) -> RatersFound | None:
    """Agreement of ranks (n, annotators) over the complaints with two; None without any."""
    found = agreement(codes, 3, Scale.ORDINAL, Resampling(resamples=1_000))
    if found is None:
        return None
    alpha = found.alpha.value
    return RatersFound(found, None if alpha is None else float(np.sqrt(max(0.0, alpha))))


def careless(codes: Codes, annotators: list[str], text: TextFound | None, seed: int = 0) -> Careless | None:
    """The annotator furthest below the others, if a permutation test says that it is not chance.

    Of complaints with several annotators each is compared with the majority of the others; else with what a text
    model that did not see the row says.
    """
    pairs = _against_others(codes) if ((codes >= 0).sum(axis=1) > 1).mean() > 0.5 else _against_text(codes, text)
    if pairs is None or len(annotators) < 2:
        return None
    own, other, whose = pairs
    sizes = np.bincount(whose, minlength=len(annotators))
    tested = [place for place in range(len(annotators)) if sizes[place] >= _LEAST]
    if len(tested) < 2:
        return None

    def lack(place: int, of: np.ndarray) -> float:
        rest = of != place
        return quadratic_kappa(own[rest], other[rest]) - quadratic_kappa(own[~rest], other[~rest])

    lacks = {place: lack(place, whose) for place in tested}
    worst = max(lacks, key=lambda place: lacks[place])
    rng = np.random.default_rng(seed)
    beyond = sum(lack(worst, rng.permutation(whose)) >= lacks[worst] for _ in range(_DRAWN))
    p = min(1.0, len(tested) * (1 + beyond) / (1 + _DRAWN))
    mine = whose == worst
    return Careless(
        annotators[worst],
        int(mine.sum()),
        quadratic_kappa(own[mine], other[mine]),
        quadratic_kappa(own[~mine], other[~mine]),
        p,
    )


_Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def _against_others(codes: Codes) -> _Pairs:
    own, other, whose = [], [], []
    for place in range(codes.shape[1]):
        rest = np.delete(codes, place, axis=1)
        rows = (codes[:, place] >= 0) & (rest >= 0).any(axis=1)
        votes = np.stack([(rest[rows] == rank).sum(axis=1) for rank in range(3)], axis=1)
        own.append(codes[rows, place])
        other.append(2 - votes[:, ::-1].argmax(axis=1))
        whose.append(np.full(int(rows.sum()), place))
    return np.concatenate(own), np.concatenate(other), np.concatenate(whose)


def _against_text(codes: Codes, text: TextFound | None) -> _Pairs | None:
    if text is None:
        return None
    rows, whose = np.nonzero(codes[text.rows] >= 0)
    return codes[text.rows][rows, whose], text.predicted[rows], whose
