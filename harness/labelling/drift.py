"""How far a text that is labelled has drifted from the text that its classifier was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from ..core.settings import Record
from ..data.dataset import DatasetInfo
from ..languages import Language
from ..languages.sentences import known_again, sentence
from ..languages.text import Profile, signature
from .sources.base import SeveritySource
from .training_text import HELD_OUT, SKETCHES, Bags, Floats, TrainingText, bags_of, new_words

_KEY = "drift"
_CLOSE, _FAR = 0.6, 0.8
"""AUC up to which texts are close, and from which they are of another kind: conventions, since nobody knows where
labels begin to fail."""
_FEWEST = 20
"""Rows of either text below which no model is asked to tell them apart."""
_FOLDS = 5
_END = 1e-9
_NOT_MEASURED = sentence("drift.never")


@runtime_checkable
class TrainedSource(Protocol):
    """A severity source that was trained on a text; None where nothing of it was kept."""

    @property
    def training_text(self) -> TrainingText | None: ...


class Drift(Record):
    """How a text of ``rows`` complaints, drawn at random, stands to the training text of ``training_rows``.

    All but ``words`` are None where nothing can be known.

    Attributes:
        new_words_pct: share of its words that the training text lacks, with its 95 % interval ``new_words_low``,
            ``new_words_high``; ``new_words_expected_pct`` is the same of held-out training text.
        distance: 1 minus the cosine of both mean TF-IDF vectors; ``distance_expected`` as above.
        auc: how well a model tells the two texts apart on rows that it did not see, 0.5 being not at all, with its
            95 % interval; None of fewer than 20 rows.
        words: one sentence.
    """

    rows: int | None = None
    training_rows: int | None = None
    new_words_pct: float | None = None
    new_words_low: float | None = None
    new_words_high: float | None = None
    new_words_expected_pct: float | None = None
    distance: float | None = None
    distance_expected: float | None = None
    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    words: str

    @property
    def known(self) -> bool:
        """Whether it was measured."""
        return self.rows is not None


def drift_of(source: SeveritySource, texts: Sequence[str], language: Language, seed: int = 0) -> Drift:
    """Hold the text that a source labels against the text that it, or a classifier in it, was trained on; of
    several classifiers against that whose text is told apart best."""
    trained = list(_trained(source))
    if not trained:
        who = {"rules": "rules", "column": "people", "people": "people"}.get(source.name, "other")
        return Drift(words=sentence(f"drift.none.{who}", name=source.name))
    known = [text for each in trained if (text := each.training_text) is not None]
    if not known:
        return Drift(words=sentence("drift.unknown.version"))
    found = [_drift_from(text, texts, language, seed) for text in known]
    farthest = max(found, key=lambda each: (each.known, each.auc or 0.0, each.new_words_pct or 0.0))
    if len(trained) == 1 or not farthest.known:
        return farthest
    of = f"drift, from the farthest of the {len(trained)} classifiers' texts: "
    return farthest.model_copy(update={"words": farthest.words.replace("drift: ", of, 1)})


def _trained(source: SeveritySource) -> Iterator[TrainedSource]:
    """A source, or its parts, as far as they were trained."""
    if isinstance(source, TrainedSource):
        yield source
    parts = [getattr(source, "classifier", None), *(getattr(source, "sources", None) or ())]
    for part in parts:
        if part is not None:
            yield from _trained(part)


def _drift_from(text: TrainingText, texts: Sequence[str], language: Language, seed: int) -> Drift:
    if text.reading != signature(Profile.METRIC, language):
        return Drift(words=sentence("drift.unknown.reading", reading=text.reading))
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(texts))[:HELD_OUT]
    bags = bags_of([texts[place] for place in drawn], language)
    if not bags.counts.nnz:
        return Drift(words=sentence("drift.unknown.words"))
    return _measured(bags, text, seed)


def drift_words(info: DatasetInfo) -> str:
    """The sentence on a labelled dataset."""
    kept = info.labelling.get(_KEY)
    return known_again(str(kept["words"]), "drift") if kept else _NOT_MEASURED


def drift_measured(info: DatasetInfo) -> str:
    """The same where drift was measured, else an empty text."""
    kept = info.labelling.get(_KEY)
    return str(kept["words"]) if kept and kept.get("rows") is not None else ""


def _measured(bags: Bags, text: TrainingText, seed: int) -> Drift:
    every, new = new_words(bags, text.frequencies_of(bags.digests))
    share = float(new.sum() / every.sum())
    # Of a ratio over rows, by linearisation (Cochran 1977, section 2.11).
    error = float((new - share * every).std(ddof=min(1, len(every) - 1)) / every.mean() / np.sqrt(len(every)))
    found = Drift(
        rows=len(every),
        training_rows=text.rows,
        new_words_pct=100 * share,
        new_words_low=max(0.0, 100 * (share - 1.96 * error)),
        new_words_high=min(100.0, 100 * (share + 1.96 * error)),
        new_words_expected_pct=text.new_words_pct,
        distance=text.distance_of(bags),
        distance_expected=text.distance,
        words="",
    )
    mine = bags.take(np.arange(min(SKETCHES, len(every)))).sketches()
    apart = told_apart(np.asarray(text.sketches, np.float64), mine, seed)
    if apart is not None:
        found = found.model_copy(update=dict(zip(("auc", "auc_low", "auc_high"), apart, strict=True)))
    return found.model_copy(update={"words": str(_in_words(found))})


def _in_words(found: Drift) -> str:
    verdict, apart = "beside", sentence("drift.few")
    if found.auc is not None and found.auc_low is not None:
        verdict = "close" if found.auc_low < _CLOSE else "differs" if found.auc_low < _FAR else "kind"
        figures = {"low": f"{found.auc_low:.2f}", "high": f"{found.auc_high:.2f}"}
        apart = sentence("drift.auc", auc=f"{found.auc:.2f}", **figures)
    return sentence(
        "drift.measured",
        verdict=sentence(f"drift.{verdict}"),
        new=f"{found.new_words_pct:.1f}",
        expected=f"{found.new_words_expected_pct:.1f}",
        distance=f"{found.distance:.2f}",
        usual=f"{found.distance_expected:.2f}",
        apart=apart,
    )


def told_apart(one: Floats, other: Floats, seed: int = 0) -> tuple[float, float, float] | None:
    """AUC of a logistic regression that tells rows of two samples (n, d) and (m, d) apart, with its 95 % interval;
    None of too few rows.

    Rows are scored by models that saw neither them nor their equals: nothing is learnt of what both samples have.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.preprocessing import StandardScaler

    if min(len(one), len(other)) < _FEWEST:
        return None
    # As they are kept, or a sample's own rows would not be known again.
    rows = np.concatenate([one, other]).astype(np.float16).astype(np.float64)
    side = np.repeat([0, 1], [len(one), len(other)])
    _, groups = np.unique(rows, axis=0, return_inverse=True)
    if min(len(np.unique(groups[side == each])) for each in (0, 1)) < _FOLDS:
        return None
    scores = np.empty(len(rows))
    cut = StratifiedGroupKFold(n_splits=_FOLDS, shuffle=True, random_state=seed)
    for seen, unseen in cut.split(rows, side, groups.ravel()):
        if len(np.unique(side[seen])) < 2:
            return None
        scaler = StandardScaler().fit(rows[seen])
        model = LogisticRegression(C=0.01, class_weight="balanced", max_iter=500)
        model.fit(scaler.transform(rows[seen]), side[seen])
        scores[unseen] = model.decision_function(scaler.transform(rows[unseen]))
    return _auc(scores[side == 1], scores[side == 0])


def _auc(higher: Floats, lower: Floats) -> tuple[float, float, float]:
    """How often one of the higher (m,) exceeds one of the lower (n,), ties half, with Newcombe's 95 % interval,
    which keeps its width where the two are wholly apart (2006, doi 10.1002/sim.2324, method 5)."""
    m, n = len(higher), len(lower)
    ranks: npt.NDArray[np.float64] = stats.rankdata(np.concatenate([higher, lower]))
    found = float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    middle = (m + n) / 2 - 1

    def excess(value: float) -> float:
        spread = value * (1 - value) / (m * n)
        spread *= 1 + middle * (1 - value) / (2 - value) + middle * value / (1 + value)
        return float((value - found) ** 2 - 1.96**2 * spread)

    # Both ends are roots themselves where the two are wholly apart.
    low = 0.0 if found == 0 else float(optimize.brentq(excess, 0, min(found, 1 - _END)))
    high = 1.0 if found == 1 else float(optimize.brentq(excess, max(found, _END), 1))
    return found, low, high
