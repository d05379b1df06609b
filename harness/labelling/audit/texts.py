"""How far the text predicts the labels, which labels it contradicts, and whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from ...languages import Language
from ...languages.text import Profile, normalise
from ...statistics.bootstrap import counts
from ...statistics.intervals import wilson
from ..quality.report_card import Ranks
from .order import quadratic_kappa

MOST_ROWS = 6_000
"""Of a larger gold so many rows, drawn at random, stand for all where texts are read."""
_FOLDS = 5
_RESAMPLES = 500
_ALIKE = 0.85
_SHOWN = 20
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TextFound:
    """What cross-validated text says of n labels.

    Attributes:
        rows: which rows of the gold were read.
        kappa, low, high: quadratic, of labels and a text model's word on rows that it did not see.
        predicted: that word, shape (n,).
        noise, noise_low: share of the labels in percent that the text contradicts confidently, and its lower bound.
        suspects: rows of the gold to look at first, the surest contradictions first.
        conflicts: pairs of rows of the gold with nearly one text and different labels.
        alike: how many pairs have nearly one text.
    """

    rows: npt.NDArray[np.int64]
    kappa: float
    low: float
    high: float
    predicted: npt.NDArray[np.int64]
    noise: float
    noise_low: float
    suspects: list[int]
    conflicts: list[tuple[int, int]]
    alike: int


def texts_found(texts: Sequence[str], ranks: Ranks, language: Language, seed: int = 0) -> TextFound | None:
    """Read texts against labels of shape (n,); None where a label has fewer than ten rows with a text.

    Folds keep together what is nearly one text. Contradictions are those of confident learning (Northcutt, Jiang
    and Chuang 2021, doi 10.1613/jair.1.12125): a row counts to another label if its probability of that label is at
    least the mean over the rows that have it.
    """
    known = np.array([place for place, text in enumerate(texts) if text.strip()], dtype=np.int64)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(known)[:MOST_ROWS])
    labels = ranks[rows].astype(np.int64)
    present, sizes = np.unique(labels, return_counts=True) if len(rows) else (labels, labels)
    if len(present) < 2 or sizes.min() < 10:
        return None
    words = [normalise(texts[place], Profile.METRIC, language) for place in rows]
    pairs = _pairs_alike(words)
    groups = _groups(len(rows), pairs)
    probabilities = _unseen(words, labels, groups, len(present), seed)
    predicted = present[probabilities.argmax(axis=1)]
    low, high = _kappa_interval(labels, predicted, rng)
    contradicted, margin = _contradicted(probabilities, np.searchsorted(present, labels))
    order = np.flatnonzero(contradicted)[np.argsort(-margin[contradicted], kind="stable")]
    bound, _ = wilson(np.array(float(contradicted.sum())), len(rows))
    return TextFound(
        rows=rows,
        kappa=quadratic_kappa(labels, predicted),
        low=low,
        high=high,
        predicted=predicted,
        noise=100 * float(contradicted.mean()),
        noise_low=float(bound),
        suspects=[int(rows[place]) for place in order[:_SHOWN]],
        conflicts=[(int(rows[one]), int(rows[two])) for one, two in pairs if labels[one] != labels[two]],
        alike=len(pairs),
    )


def _unseen(
    words: Sequence[str], labels: npt.NDArray[np.int64], groups: npt.NDArray[np.int64], classes: int, seed: int
) -> Floats:
    """Probabilities (n, classes) of rows by models that did not see their group."""
    probabilities = np.empty((len(words), classes))
    cut = StratifiedGroupKFold(n_splits=_FOLDS, shuffle=True, random_state=seed)
    for seen, unseen in cut.split(np.zeros(len(labels)), labels, groups):
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=20_000)
        model = LogisticRegression(C=4.0, class_weight="balanced", tol=1e-4, random_state=seed)
        model.fit(vectorizer.fit_transform([words[place] for place in seen]), labels[seen])
        found = model.predict_proba(vectorizer.transform([words[place] for place in unseen]))
        places = np.searchsorted(np.unique(labels), model.classes_)
        probabilities[np.ix_(unseen, range(classes))] = 0
        probabilities[np.ix_(unseen, places)] = found
    return probabilities


def _contradicted(probabilities: Floats, labels: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which rows the text counts to another label, and by how much more probable that one is, shape (n,)."""
    own = probabilities[np.arange(len(labels)), labels]
    needed = np.array([own[labels == label].mean() for label in range(probabilities.shape[1])])
    sure = np.where(probabilities >= needed, probabilities, -1.0)
    other = sure.argmax(axis=1)
    contradicted = (sure.max(axis=1) >= 0) & (other != labels)
    return contradicted, probabilities[np.arange(len(labels)), other] - own


def _kappa_interval(
    labels: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[float, float]:
    n = len(labels)
    drawn = np.concatenate(list(counts(n, _RESAMPLES, rng)))
    parts = np.column_stack([labels, predicted, labels**2, predicted**2, (labels - predicted) ** 2]).astype(float)
    sums = drawn @ parts / n
    expected = sums[:, 2] - sums[:, 0] ** 2 + sums[:, 3] - sums[:, 1] ** 2 + (sums[:, 0] - sums[:, 1]) ** 2
    kappas = 1 - sums[:, 4] / np.where(expected > 0, expected, np.inf)
    low, high = np.percentile(kappas, [2.5, 97.5])
    return float(low), float(high)


def _pairs_alike(words: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of nearly one text: the cosine of their weighted words is at least 0.85."""
    try:
        vectors = TfidfVectorizer(token_pattern=r"\S+", sublinear_tf=True).fit_transform(words).tocsr()
    except ValueError:  # no text holds a word
        return []
    found = []
    for start in range(0, vectors.shape[0], 500):
        near = sparse.triu((vectors[start : start + 500] @ vectors.T).tocsr(), k=start + 1).tocoo()
        alike = near.data >= _ALIKE
        found += [(start + int(one), int(two)) for one, two in zip(near.row[alike], near.col[alike], strict=True)]
    return found


def _groups(n: int, pairs: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """Connected rows share a number, shape (n,)."""
    one, two = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    graph = sparse.coo_matrix((np.ones(len(pairs)), (one, two)), shape=(n, n))
    _, labels = sparse.csgraph.connected_components(graph, directed=False)
    return np.asarray(labels, dtype=np.int64)
