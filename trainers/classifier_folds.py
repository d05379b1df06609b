"""Report cards by grouped cross-validation: no row is predicted by a classifier that saw its group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ..harness.errors import UserError
from ..harness.labelling.base import Probabilities
from ..harness.labelling.check import decided
from ..harness.labelling.classifier import ClassifierSource
from ..harness.labelling.classifier_info import ClassifierInfo
from ..harness.labelling.hybrid import HybridSource
from ..harness.labelling.report_card import ReportCard, report_card
from ..harness.labelling.rules import RulesSource
from ..harness.labelling.stream import filled
from .classifier_config import ClassifierConfig
from .classifier_fit import Rows, fit


def fold_cards(
    rows: Rows, source: ClassifierSource, language: str, config: ClassifierConfig, folds: int, labels: str
) -> list[ReportCard]:
    """Cards of the rules, the classifier and the hybrid over all rows, in ``folds`` folds grouped by category.

    Each fold's classifier is trained and calibrated on the other folds. The rules are the same in every fold.

    Raises:
        UserError: there are fewer groups than folds.
    """
    if folds < 2 or len(set(rows.groups)) < folds:
        raise UserError(
            f"{len(set(rows.groups))} categories cannot be cut into {folds} folds",
            "Use --folds from 2 to the number of categories, or leave it out for the test split",
        )
    rules = RulesSource()
    probabilities: dict[str, Probabilities] = {
        name: np.empty((len(rows.ranks), 3)) for name in ("rules", "classifier", "hybrid")
    }
    cut = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=config.seed)
    for seen, unseen in cut.split(np.zeros(len(rows.ranks)), rows.ranks, rows.groups):
        fold = _fold_source(rows.take(seen), source.info, language, config)
        questions = rows.take(unseen).questions
        for candidate in (rules, fold, HybridSource(rules, fold)):
            probabilities[candidate.name][unseen] = decided(candidate, questions, language)
    described: Sequence[tuple[str, str, str]] = [
        (candidate.name, candidate.version, candidate.sha256)
        for candidate in (rules, source, HybridSource(rules, source))
    ]
    return [
        report_card(
            filled(probabilities[name], language),
            rows.ranks,
            source=(name, version, digest),
            labels=f"{folds} folds grouped by category, {labels}",
            unknown=int(np.isnan(probabilities[name]).any(axis=1).sum()),
        )
        for name, version, digest in described
    ]


def _fold_source(seen: Rows, info: ClassifierInfo, language: str, config: ClassifierConfig) -> ClassifierSource:
    trained = fit(seen, seen.take(np.empty(0, dtype=np.intp)), language, config)
    return ClassifierSource(info.model_copy(update={"temperature": trained.temperature}), trained.model)
