"""Fits a classifier to labelled complaints and calibrates it on rows that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...harness.labelling.sources.base import Probabilities
from ...harness.labelling.sources.classifier import Model
from ...harness.labelling.sources.classifier_info import Kind
from ...harness.labelling.sources.decisions import Costs, triage_costs
from ...harness.languages import Language
from .calibration import Calibration, fit_calibration
from .config import TFIDF, ClassifierConfig
from .inner import Chosen, inner_folds
from .rows import Rows, joined

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Trained:
    """A model with its calibration and which rows that was learnt on, and what inner folds chose."""

    model: Model
    calibration: Calibration
    calibrated_on: str
    chosen: dict[str, Any] = field(default_factory=dict)

    @property
    def temperature(self) -> float:
        """Divides the logits."""
        return self.calibration.temperature


def costs_asked(config: ClassifierConfig) -> Costs | None:
    """What errors cost by the settings."""
    return None if config.under_triage_cost is None else triage_costs(config.under_triage_cost)


def fit(
    train: Rows,
    validation: Rows,
    language: Language,
    config: ClassifierConfig,
    progress: Progress = lambda rows: None,
) -> Trained:
    """Fit and calibrate.

    A transformer is calibrated on the validation rows, or if those lack a severity on groups of the training rows
    held out for it. The other kinds are fitted to both, with settings that were chosen and probabilities that were
    calibrated on their out-of-fold predictions.

    Raises:
        UserError: the base cannot be loaded, or stacking is asked for in a language without rules.
    """
    if config.kind is Kind.TRANSFORMERS:
        return _fine_tuned(train, validation, config, progress)
    rows = joined([train, validation]) if len(validation.ranks) else train
    inner = inner_folds(rows, config.seed)
    if config.kind is Kind.TFIDF:
        from .tfidf import choose_tfidf, fit_tfidf

        found = choose_tfidf(inner, language, config)
        model: Model = fit_tfidf(rows, language, found.setting, config)
        chosen = _record(found)
    elif config.kind is Kind.EMBEDDING:
        from .embedding import choose_embedding, fit_embedding, reader_of

        reader = reader_of(config)
        found = choose_embedding(inner, reader, config)
        model = fit_embedding(rows, reader, found.setting["C"], config)
        chosen = _record(found)
    else:
        from .stacked import choose_stack, fit_stack

        encoder = None
        if config.base != TFIDF:
            from .embedding import reader_of

            encoder = reader_of(config)
        stack = choose_stack(inner, language, encoder, config)
        found = stack.top
        model = fit_stack(rows, stack, language, encoder, config)
        chosen = {**{name: _record(part) for name, part in stack.parts.items()}, "stacked": _record(found)}
    progress(len(train.ranks))
    return _calibrated(model, found.logits, inner.rows, f"out-of-fold predictions of {inner.words}", chosen)


def _record(found: Chosen) -> dict[str, Any]:
    return {**found.setting, "rps": {name: round(score, 6) for name, score in found.scores.items()}}


def _fine_tuned(train: Rows, validation: Rows, config: ClassifierConfig, progress: Progress) -> Trained:
    from .transformer import fit_transformers

    where = "validation split"
    if len(set(validation.ranks.tolist())) < 3:
        inner = inner_folds(train, config.seed)
        kept, held = inner.folds[0]
        train, validation = inner.rows.take(kept), inner.rows.take(held)
        where = f"the first part, held out, of {inner.words}"
    model = fit_transformers(
        (train.questions, train.ranks), (validation.questions, validation.ranks), config, progress
    )
    return _calibrated(
        model, model.logits(validation.questions), validation, f"{where}, {len(validation.ranks)} rows"
    )


def _calibrated(
    model: Model, logits: Probabilities, rows: Rows, where: str, chosen: dict[str, Any] | None = None
) -> Trained:
    calibration = fit_calibration(logits, rows.ranks)
    if not calibration.determined:
        where = f"nothing: the {where}, determine no temperature, so it stays 1"
    return Trained(model, calibration, where, chosen or {})
