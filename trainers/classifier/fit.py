"""Fits a classifier to labelled complaints and learns its temperature on rows that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from ...harness.core.errors import UserError
from ...harness.labelling.quality.report_card import class_names
from ...harness.labelling.sources.classifier import Model
from ...harness.languages import Language
from .calibration import fit_temperature
from .config import TFIDF, ClassifierConfig

_HELD_OUT_SHARE = 0.2
Ranks = npt.NDArray[np.int8]
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Rows:
    """Labelled complaints: questions, true ranks of shape (n,) and the group of each, its category."""

    questions: list[str]
    ranks: Ranks
    groups: list[str]

    def take(self, rows: npt.NDArray[np.intp]) -> Rows:
        """The rows at these positions."""
        return Rows([self.questions[at] for at in rows], self.ranks[rows], [self.groups[at] for at in rows])


@dataclass(frozen=True)
class Trained:
    """A model with its temperature, and which rows that was learnt on."""

    model: Model
    temperature: float
    calibrated_on: str


def demand_classes(rows: Rows, where: str) -> None:
    """Raises:
    UserError: a severity has too few rows to learn it and to calibrate on it.
    """
    counts = np.bincount(rows.ranks, minlength=3)
    if counts.min() < 5:
        missing = class_names()[int(counts.argmin())]
        raise UserError(
            f"{where} has {counts.min()} rows labelled {missing}; a classifier needs 5 of each",
            "Label the dataset with `maqa label`, or give a file with more labels",
        )


def fit(
    train: Rows,
    validation: Rows,
    language: Language,
    config: ClassifierConfig,
    progress: Progress = lambda rows: None,
) -> Trained:
    """Fit and calibrate: on the validation rows, or if those lack a class on training rows held out for it."""
    where = "validation split"
    if len(set(validation.ranks.tolist())) < 3:
        kept, held = train_test_split(
            np.arange(len(train.ranks)), test_size=_HELD_OUT_SHARE, random_state=config.seed, stratify=train.ranks
        )
        train, validation = train.take(np.sort(kept)), train.take(np.sort(held))
        where = f"{_HELD_OUT_SHARE:.0%} of the training split, held out"
    if config.base == TFIDF:
        from .tfidf import fit_tfidf

        model: Model = fit_tfidf(train.questions, train.ranks, language, config)
        progress(len(train.ranks))
    else:
        from .transformer import fit_transformers

        model = fit_transformers(
            (train.questions, train.ranks), (validation.questions, validation.ranks), config, progress
        )
    temperature = fit_temperature(model.logits(validation.questions), validation.ranks)
    where = f"{where}, {len(validation.ranks)} rows"
    if temperature is None:
        return Trained(model, 1.0, f"nothing: the {where}, determine no temperature, so it stays 1")
    return Trained(model, temperature, where)
