"""Trains a severity classifier on a dataset, calibrates it, and writes its report card beside it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pandas as pd

from ...harness.core.errors import UserError
from ...harness.core.files import write_json
from ...harness.core.folders import atomic_folder
from ...harness.data.dataset import SPLITS, Dataset
from ...harness.labelling.overlap import write_questions
from ...harness.labelling.quality.check import card_of
from ...harness.labelling.quality.reliability import RELIABILITY, plot_reliability
from ...harness.labelling.quality.report_card import REPORT_CARD, ReportCard
from ...harness.labelling.quality.rivals import rivals_of
from ...harness.labelling.sources.classifier import NOTE, ClassifierSource
from ...harness.labelling.sources.classifier_info import ClassifierInfo, Kind
from ...harness.labelling.training_text import write_training_text
from .config import TFIDF, ClassifierConfig
from .fit import Progress, Trained, costs_asked, fit
from .folds import OUT_OF_FOLD, Folds, contenders, cut_folds, fold_cards
from .rows import Rows, demand_classes, joined, read_rows


def train_classifier(
    dataset: Dataset, config: ClassifierConfig, out: Path, *, folds: int = 0, progress: Progress = lambda rows: None
) -> list[ReportCard]:
    """Train on the training split and write the classifier's folder with its report cards.

    The cards compare the classifier, the rules and the hybrid of both: on the test split, or with ``folds`` on all
    rows, each predicted by a classifier that saw no row of its group; those predictions are kept too.

    Args:
        progress: called with the number of rows seen since the last call.

    Raises:
        UserError: ``out`` is in use, a class has too few rows, the cards cannot be made, or the base cannot be
            loaded.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not an empty folder", "Name a new folder with --out")
    rows = read_rows(dataset)
    demand_classes(rows["train"], f"{dataset.folder / 'train.parquet'}")
    cut = cut_folds(joined([rows[name] for name in SPLITS]), folds, config.seed) if folds else []
    if not folds and not len(rows["test"].ranks):
        raise UserError(f"{dataset.folder / 'test.parquet'} has no labelled row", "Label it, or use --folds 5")
    language = dataset.language
    with atomic_folder(out) as work:
        trained = fit(rows["train"], rows["validation"], language, config, progress)
        trained.model.save(work)
        source = ClassifierSource(_info(trained, dataset, config, rows["train"].grouped_by), trained.model)
        write_json(work / NOTE, source.info.model_dump())
        fitted = [*rows["train"].questions, *rows["validation"].questions]
        write_training_text(work, fitted, language)
        write_questions(work, fitted, language)
        cards, predictions = _cards(source, dataset, rows, config, cut)
        if predictions is not None:
            predictions.to_parquet(work / OUT_OF_FOLD, index=False)
        write_json(work / REPORT_CARD, [card.model_dump() for card in cards])
        plot_reliability(cards, work / RELIABILITY)
    return cards


def _cards(
    source: ClassifierSource, dataset: Dataset, rows: dict[str, Rows], config: ClassifierConfig, cut: Folds
) -> tuple[list[ReportCard], pd.DataFrame | None]:
    language, by = dataset.language, dataset.info.severity_source.name
    labels = f"labels: {by}"
    if cut:
        return fold_cards(joined([rows[name] for name in SPLITS]), source, language, config, cut, (labels, by))
    test = rows["test"]
    rivals = rivals_of(test.ranks, None, ordered=True)
    cards = [
        card_of(candidate, test.questions, test.ranks, language, f"test split, {labels}", by, rivals)
        for candidate in contenders(source, language)
    ]
    return cards, None


def _info(trained: Trained, dataset: Dataset, config: ClassifierConfig, grouped_by: str) -> ClassifierInfo:
    return ClassifierInfo(
        kind=config.kind,
        base=config.base,
        language=dataset.info.language,
        seed=config.seed,
        temperature=trained.calibration.temperature,
        bias=trained.calibration.bias,
        calibrated_on=trained.calibrated_on,
        sha256=trained.model.digest(),
        dataset={
            "source": dataset.info.source,
            "source_sha256": dataset.info.source_sha256,
            "train_sha256": dataset.info.sha256["train"],
            "severity_source": dataset.info.severity_source.model_dump(),
        },
        settings=config.model_dump(),
        versions={name: version(name) for name in _packages(config)},
        chosen=trained.chosen,
        grouped_by=grouped_by,
        costs=costs_asked(config),
    )


def _packages(config: ClassifierConfig) -> tuple[str, ...]:
    fitted = () if config.kind is Kind.TRANSFORMERS else ("scikit-learn",)
    kept = ("skops",) if config.kind in (Kind.TFIDF, Kind.STACKED) else ()
    return (*fitted, *kept, *(() if config.base == TFIDF else ("torch", "transformers")))
