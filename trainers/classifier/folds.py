"""Report cards by grouped cross-validation: no row is predicted by a classifier that saw its group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from ...harness.core.errors import UserError
from ...harness.labelling.prior import filled
from ...harness.labelling.quality.check import decided
from ...harness.labelling.quality.report_card import ReportCard, report_card
from ...harness.labelling.quality.rivals import rivals_of
from ...harness.labelling.sources.base import Probabilities, SeveritySource
from ...harness.labelling.sources.classifier import ClassifierSource
from ...harness.labelling.sources.classifier_info import ClassifierInfo
from ...harness.labelling.sources.hybrid import HybridSource
from ...harness.labelling.sources.rules import RulesSource
from ...harness.languages import Language, Part
from .config import ClassifierConfig
from .fit import Rows, demand_classes, fit

Folds = list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]
"""For each fold the positions of the rows outside of it and in it."""


def cut_folds(rows: Rows, folds: int, seed: int) -> Folds:
    """Rows in folds grouped by category, with the severities in like shares.

    Raises:
        UserError: there are fewer groups than folds, or a severity has too few rows outside of a fold.
    """
    if folds < 2 or len(set(rows.groups)) < folds:
        raise UserError(
            f"{len(set(rows.groups))} categories cannot be cut into {folds} folds",
            "Use --folds from 2 to the number of categories, or leave it out for the test split",
        )
    cut = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    found = list(cut.split(np.zeros(len(rows.ranks)), rows.ranks, rows.groups))
    for number, (seen, _) in enumerate(found, 1):
        demand_classes(rows.take(seen), f"what lies outside of fold {number} of {folds}")
    return found


def contenders(classifier: ClassifierSource, language: Language) -> list[SeveritySource]:
    """Whom a classifier is compared with: the rules, itself and the hybrid, as far as the language has rules."""
    if not language.knows(Part.LEXICON):
        return [classifier]
    rules = RulesSource(language)
    return [rules, classifier, HybridSource(rules, classifier)]


def fold_cards(
    rows: Rows,
    source: ClassifierSource,
    language: Language,
    config: ClassifierConfig,
    folds: Folds,
    labels: tuple[str, str],
) -> list[ReportCard]:
    """Cards of the rules, the classifier and the hybrid over all rows.

    ``labels`` says whose the true labels are, in words, and which source gave them. Each fold's classifier is
    trained and calibrated on the other folds. The rules are the same in every fold.
    """
    probabilities: dict[str, Probabilities] = {
        candidate.name: np.empty((len(rows.ranks), 3)) for candidate in contenders(source, language)
    }
    for seen, unseen in folds:
        fold = _fold_source(rows.take(seen), source.info, language, config)
        questions = rows.take(unseen).questions
        for candidate in contenders(fold, language):
            probabilities[candidate.name][unseen] = decided(candidate, questions, language)
    rivals = rivals_of(rows.ranks, None, ordered=True)
    described: Sequence[tuple[str, str, str]] = [
        (candidate.name, candidate.version, candidate.sha256) for candidate in contenders(source, language)
    ]
    return [
        report_card(
            filled(probabilities[name], language),
            rows.ranks,
            source=(name, version, digest),
            labels=f"{len(folds)} folds grouped by category, {labels[0]}",
            truth_by=labels[1],
            rivals=rivals,
            unknown=int(np.isnan(probabilities[name]).any(axis=1).sum()),
        )
        for name, version, digest in described
    ]


def _fold_source(
    seen: Rows, info: ClassifierInfo, language: Language, config: ClassifierConfig
) -> ClassifierSource:
    trained = fit(seen, seen.take(np.empty(0, dtype=np.intp)), language, config)
    return ClassifierSource(info.model_copy(update={"temperature": trained.temperature}), trained.model)
