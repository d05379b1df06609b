"""Report cards by grouped cross-validation: no row is predicted by a classifier that saw its group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from ...harness.core.errors import UserError
from ...harness.labelling.prior import filled
from ...harness.labelling.quality.check import decided
from ...harness.labelling.quality.report_card import ReportCard, class_names, report_card
from ...harness.labelling.quality.rivals import rivals_of
from ...harness.labelling.sources.base import Probabilities, SeveritySource
from ...harness.labelling.sources.classifier import ClassifierSource
from ...harness.labelling.sources.classifier_info import ClassifierInfo
from ...harness.labelling.sources.decisions import called
from ...harness.labelling.sources.hybrid import HybridSource
from ...harness.labelling.sources.rules import RulesSource
from ...harness.languages import Language, Part
from ...harness.severity import PROBABILITY_COLUMNS
from .config import ClassifierConfig
from .fit import fit
from .rows import Rows, demand_classes

OUT_OF_FOLD = "out_of_fold.parquet"
"""In a classifier's folder: every row as a classifier that did not see its group predicts it."""
Folds = list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]
"""For each fold the positions of the rows outside of it and in it."""


def cut_folds(rows: Rows, folds: int, seed: int) -> Folds:
    """Rows in folds that cut no group, with the severities in like shares.

    Raises:
        UserError: there are fewer groups than folds, or a severity has too few rows outside of a fold.
    """
    if folds < 2 or len(set(rows.groups)) < folds:
        raise UserError(
            f"{len(set(rows.groups))} groups (by {rows.grouped_by}) cannot be cut into {folds} folds",
            "Use --folds from 2 to the number of groups, or leave it out for the test split",
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
) -> tuple[list[ReportCard], pd.DataFrame]:
    """Cards of the rules, the classifier and the hybrid over all rows, and the classifier's predictions of them.

    ``labels`` says whose the true labels are, in words, and which source gave them. Each fold's classifier is
    trained and calibrated on the other folds. The rules are the same in every fold.
    """
    candidates = contenders(source, language)
    probabilities: dict[str, Probabilities] = {each.name: np.empty((len(rows.ranks), 3)) for each in candidates}
    numbers = np.empty(len(rows.ranks), dtype=np.int8)
    for number, (seen, unseen) in enumerate(folds, 1):
        numbers[unseen] = number
        fold = _fold_source(rows.take(seen), source.info, language, config)
        questions = rows.take(unseen).questions
        for candidate in contenders(fold, language):
            probabilities[candidate.name][unseen] = decided(candidate, questions, language)
    rivals = rivals_of(rows.ranks, None, ordered=True)
    cards = []
    for candidate in candidates:
        unknown = np.isnan(probabilities[candidate.name]).any(axis=1)
        whole = filled(probabilities[candidate.name], language)
        cards.append(
            report_card(
                whole,
                rows.ranks,
                source=(candidate.name, candidate.version, candidate.sha256),
                labels=f"{len(folds)} folds grouped by {rows.grouped_by}, {labels[0]}",
                truth_by=labels[1],
                rivals=rivals,
                unknown=int(unknown.sum()),
                assigned=called(candidate, whole, unknown),
            )
        )
    return cards, _predictions(rows, filled(probabilities[source.name], language), numbers)


def _predictions(rows: Rows, probabilities: Probabilities, numbers: npt.NDArray[np.int8]) -> pd.DataFrame:
    names = np.array(class_names(), dtype=object)
    return pd.DataFrame(
        {
            "id": list(rows.ids),
            "truth": names[rows.ranks],
            **dict(zip(PROBABILITY_COLUMNS, probabilities.T, strict=True)),
            "fold": numbers,
        }
    )


def _fold_source(
    seen: Rows, info: ClassifierInfo, language: Language, config: ClassifierConfig
) -> ClassifierSource:
    trained = fit(seen, seen.take(np.empty(0, dtype=np.intp)), language, config)
    update = {"temperature": trained.calibration.temperature, "bias": trained.calibration.bias}
    return ClassifierSource(info.model_copy(update=update), trained.model)
