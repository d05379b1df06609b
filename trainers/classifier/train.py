"""Trains a severity classifier on a dataset, calibrates it, and writes its report card beside it."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from ...harness.core.errors import UserError
from ...harness.core.files import write_json
from ...harness.data.dataset import SPLITS, Dataset
from ...harness.labelling.overlap import write_questions
from ...harness.labelling.quality.check import card_of, severity_ranks
from ...harness.labelling.quality.reliability import RELIABILITY, plot_reliability
from ...harness.labelling.quality.report_card import REPORT_CARD, ReportCard
from ...harness.labelling.quality.rivals import rivals_of
from ...harness.labelling.sources.classifier import NOTE, ClassifierSource
from ...harness.labelling.sources.classifier_info import ClassifierInfo
from ...harness.labelling.training_text import write_training_text
from .config import TFIDF, ClassifierConfig
from .fit import Progress, Rows, Trained, demand_classes, fit
from .folds import Folds, contenders, cut_folds, fold_cards


def train_classifier(
    dataset: Dataset, config: ClassifierConfig, out: Path, *, folds: int = 0, progress: Progress = lambda rows: None
) -> list[ReportCard]:
    """Train on the training split and write the classifier's folder with its report cards.

    The cards compare the classifier, the rules and the hybrid of both: on the test split, or with ``folds`` on all
    rows, each predicted by a classifier that saw no row of its group (its category).

    Args:
        progress: called with the number of rows seen since the last call.

    Raises:
        UserError: ``out`` is in use, a class has too few rows, the cards cannot be made, or the base cannot be
            loaded.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not an empty folder", "Name a new folder with --out")
    rows = {name: _rows(dataset, name) for name in SPLITS}
    demand_classes(rows["train"], f"{dataset.folder / 'train.parquet'}")
    cut = cut_folds(_joined(rows), folds, config.seed) if folds else []
    if not folds and not len(rows["test"].ranks):
        raise UserError(f"{dataset.folder / 'test.parquet'} has no labelled row", "Label it, or use --folds 5")
    language = dataset.language
    trained = fit(rows["train"], rows["validation"], language, config, progress)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}", "Choose a folder that you may write to") from error
    try:
        trained.model.save(work)
        source = ClassifierSource(_info(trained, dataset, config), trained.model)
        write_json(work / NOTE, source.info.model_dump())
        write_training_text(work, rows["train"].questions, language)
        write_questions(work, rows["train"].questions, language)
        cards = _cards(source, dataset, rows, config, cut)
        write_json(work / REPORT_CARD, [card.model_dump() for card in cards])
        plot_reliability(cards, work / RELIABILITY)
        if out.exists():
            out.rmdir()
        work.chmod(0o755)
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return cards


def _cards(
    source: ClassifierSource, dataset: Dataset, rows: dict[str, Rows], config: ClassifierConfig, cut: Folds
) -> list[ReportCard]:
    language, by = dataset.language, dataset.info.severity_source.name
    labels = f"labels: {by}"
    if cut:
        return fold_cards(_joined(rows), source, language, config, cut, (labels, by))
    test = rows["test"]
    rivals = rivals_of(test.ranks, None, ordered=True)
    return [
        card_of(candidate, test.questions, test.ranks, language, f"test split, {labels}", by, rivals)
        for candidate in contenders(source, language)
    ]


def _info(trained: Trained, dataset: Dataset, config: ClassifierConfig) -> ClassifierInfo:
    packages = ("scikit-learn", "skops") if config.base == TFIDF else ("torch", "transformers")
    return ClassifierInfo(
        kind="tfidf" if config.base == TFIDF else "transformers",
        base=config.base,
        language=dataset.info.language,
        seed=config.seed,
        temperature=trained.temperature,
        calibrated_on=trained.calibrated_on,
        sha256=trained.model.digest(),
        dataset={
            "source": dataset.info.source,
            "source_sha256": dataset.info.source_sha256,
            "train_sha256": dataset.info.sha256["train"],
            "severity_source": dataset.info.severity_source.model_dump(),
        },
        settings=config.model_dump(),
        versions={name: version(name) for name in packages},
    )


def _rows(dataset: Dataset, split: str) -> Rows:
    frame: pd.DataFrame = dataset.split(split)
    ranks = severity_ranks(frame["severity"])
    frame = frame[ranks >= 0]
    return Rows(frame["question"].tolist(), ranks[ranks >= 0], frame["category"].astype(str).tolist())


def _joined(rows: dict[str, Rows]) -> Rows:
    parts = [rows[name] for name in SPLITS]
    return Rows(
        [question for part in parts for question in part.questions],
        np.concatenate([part.ranks for part in parts]),
        [group for part in parts for group in part.groups],
    )
