"""What a classifier keeps of the text that it was trained on, without the texts: which words, how often, how mixed.

Words are kept as 64-bit digests, which tell of a word that somebody names whether it occurs. Complaints are kept as
signed sums over 512 buckets of such digests, without any order (a count sketch, Charikar, Chen and Farach-Colton
2004, doi 10.1016/S0304-3975(03)00400-6): enough to tell one kind of text from another.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ..core.errors import UserError
from ..core.files import atomic
from ..languages import Language
from ..languages.text import Profile, signature, words

TRAINING_TEXT = "training_text.npz"
"""In a classifier's folder."""
HELD_OUT = 6_000
"""At most so many rows stand for a text where it is held against another."""
SKETCHES = 2_000
_BUCKETS = 512
_PARTS = 5
_REMEDY = "Train the classifier again with `maqa train classifier DATASET --out DIR`"
_SCALARS: dict[str, Any] = {"reading": str, "rows": int, "new_words_pct": float, "held_out": int, "distance": float}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bags:
    """n texts as bags of words.

    Attributes:
        digests: of the v words, shape (v,), ascending.
        counts: how often each stands in each text, sparse, shape (n, v).
    """

    digests: npt.NDArray[np.uint64]
    counts: Any

    def take(self, rows: npt.NDArray[np.int64]) -> Bags:
        """The texts at these positions."""
        return Bags(self.digests, self.counts[rows])

    def sketches(self) -> Floats:
        """Each text's words in signed buckets, of length 1, shape (n, 512); zeros without a word."""
        buckets = (self.digests % np.uint64(_BUCKETS)).astype(np.int64)
        signs = np.where(self.digests >> np.uint64(63), 1.0, -1.0)
        places = (np.arange(len(buckets)), buckets)
        turned = sparse.csr_matrix((signs, places), shape=(len(buckets), _BUCKETS))
        found = np.asarray((self.counts.sign() @ turned).todense())
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(lengths > 0, lengths, 1), np.float64)


def bags_of(texts: Sequence[str], language: Language) -> Bags:
    """Count the words of texts, read as the metrics read them."""
    places: dict[str, int] = {}
    columns, ends = array("q"), array("q", [0])
    for text in texts:
        columns.extend([places.setdefault(word, len(places)) for word in words(text, Profile.METRIC, language)])
        ends.append(len(columns))
    digests = np.array([_digest(word) for word in places], np.uint64)
    order = np.argsort(digests)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    found = np.frombuffer(columns, np.int64) if len(columns) else np.empty(0, np.int64)
    counts = sparse.csr_matrix(
        (np.ones(len(found)), place[found], np.frombuffer(ends, np.int64)), shape=(len(texts), len(places))
    )
    counts.sum_duplicates()
    return Bags(digests[order], counts)


@dataclass(frozen=True)
class TrainingText:
    """A text in numbers, for holding others against it.

    Attributes:
        reading: how texts are normalised.
        rows: how many complaints.
        digests: of its v words, shape (v,), ascending.
        frequencies: in how many complaints each stands, shape (v,).
        centroid: mean TF-IDF vector of its complaints, shape (v,).
        sketches: of at most 2,000 complaints, shape (s, 512).
        new_words_pct: share of the words of a part held out that do not stand in the rest.
        held_out: how many complaints that part has.
        distance: of that part's centroid from the rest's.
    """

    reading: str
    rows: int
    digests: npt.NDArray[np.uint64]
    frequencies: npt.NDArray[np.int32]
    centroid: npt.NDArray[np.float32]
    sketches: npt.NDArray[np.float16]
    new_words_pct: float
    held_out: int
    distance: float

    def frequencies_of(self, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """In how many of its complaints each of these words stands, shape (m,)."""
        found: npt.NDArray[np.int64] = np.where(self._has(digests), self.frequencies[self._at(digests)], 0)
        return found

    def distance_of(self, bags: Bags) -> float:
        """1 minus the cosine of the mean TF-IDF vectors, both by this text's frequencies: 0 alike, 1 without a word
        in common. Of no more texts than were held out, since of fewer texts it is larger."""
        bags = bags.take(np.arange(min(self.held_out, bags.counts.shape[0])))
        theirs = _centroid(bags.counts, _idf(self.frequencies_of(bags.digests), self.rows))
        ours = np.where(self._has(bags.digests), self.centroid[self._at(bags.digests)], 0)
        return _distance(float(ours @ theirs), np.asarray(self.centroid, np.float64), theirs)

    def _at(self, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
        return np.minimum(np.searchsorted(self.digests, digests), len(self.digests) - 1)

    def _has(self, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = self.digests[self._at(digests)] == digests
        return found


def new_words(bags: Bags, frequencies: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """How many words each text has, and how many of these have a frequency of 0: both of shape (n,)."""
    every = np.asarray(bags.counts.sum(axis=1)).ravel()
    return every, np.asarray(bags.counts @ (frequencies == 0).astype(np.float64)).ravel()


def training_text(texts: Sequence[str], language: Language, seed: int = 0) -> TrainingText | None:
    """What is kept of a text; None where it has no word in at least two of five or more complaints.

    What is new in more text of the same kind, and how far that is, is measured on a fifth of the complaints, held
    out of the rest.
    """
    bags = bags_of(texts, language)
    drawn = np.random.default_rng(seed).permutation(len(texts))
    held = np.sort(drawn[: min(HELD_OUT, len(texts) // _PARTS)])
    every = _frequencies(bags)
    rest = every - _frequencies(bags.take(held))
    if not len(held) or not (rest > 0).any() or not bags.counts[held].nnz:
        return None
    count, new = new_words(bags.take(held), rest)
    idf = _idf(rest, len(texts) - len(held))
    others = _centroid(bags.counts[np.sort(drawn[len(held) :])], idf)
    theirs = _centroid(bags.counts[held], idf)
    return TrainingText(
        reading=signature(Profile.METRIC, language),
        rows=len(texts),
        digests=bags.digests,
        frequencies=every.astype(np.int32),
        centroid=_centroid(bags.counts, _idf(every, len(texts))).astype(np.float32),
        sketches=bags.take(np.sort(drawn[:SKETCHES])).sketches().astype(np.float16),
        new_words_pct=float(100 * new.sum() / count.sum()),
        held_out=len(held),
        distance=_distance(float(others @ theirs), others, theirs),
    )


def write_training_text(folder: Path, texts: Sequence[str], language: Language) -> None:
    """Keep a text beside the classifier that was trained on it; nothing where there is nothing to keep."""
    if found := training_text(texts, language):
        with atomic(folder / TRAINING_TEXT) as temporary:
            np.savez_compressed(temporary, **vars(found))


def read_training_text(folder: Path) -> TrainingText | None:
    """What a classifier's folder keeps of its training text; None where an earlier version trained it.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / TRAINING_TEXT
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in TrainingText.__dataclass_fields__}
        scalars = {name: found.pop(name)[()] for name in _SCALARS}
        sizes = {len(found[name]) for name in ("digests", "frequencies", "centroid")}
        if len(sizes) != 1 or 0 in sizes or found["sketches"].shape[1:] != (_BUCKETS,):
            raise ValueError("its parts do not fit together")
        return TrainingText(**{name: kind(scalars[name]) for name, kind in _SCALARS.items()}, **found)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise UserError(f"{path} cannot be read: {error}", _REMEDY) from None


def _digest(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _frequencies(bags: Bags) -> npt.NDArray[np.int64]:
    return np.asarray(bags.counts.sign().sum(axis=0), np.int64).ravel()


def _idf(frequencies: npt.NDArray[Any], rows: int) -> Floats:
    """Smoothed, as scikit-learn has it: ``ln((1 + n) / (1 + df)) + 1``."""
    found: Floats = np.log((1 + rows) / (1 + np.asarray(frequencies, np.float64))) + 1
    return found


def _centroid(counts: Any, idf: Floats) -> Floats:
    """Mean of the texts' TF-IDF vectors of length 1, shape (v,); texts without a word are left out."""
    weighted = counts @ sparse.diags(idf)
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    known = max(1, int((lengths > 0).sum()))
    shares = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0) / known
    return np.asarray(weighted.T @ shares, np.float64)


def _distance(product: float, one: Floats, other: Floats) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return 1.0 if lengths == 0 else min(1.0, max(0.0, 1 - product / lengths))
