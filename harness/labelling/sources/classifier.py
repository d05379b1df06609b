"""The prediction side of a trained severity classifier: its folder, checked, as a severity source."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from ...core.errors import UserError
from ...core.files import read_json
from ...core.records import validated
from ...severity import PROBABILITY_COLUMNS
from ..training_text import TrainingText, read_training_text
from .base import Probabilities
from .classifier_info import FORMAT_VERSION, ClassifierInfo, Kind
from .decisions import Costs

NOTE = "classifier.json"
_TRAIN = "`maqa train classifier DATASET --out DIR`"
_REMEDY = f"Train it again with {_TRAIN}"


class Model(Protocol):
    """Scores complaints before calibration."""

    def logits(self, questions: Sequence[str]) -> Probabilities:
        """Unnormalised log probabilities, shape (n, 3)."""
        ...

    def digest(self) -> str:
        """SHA-256 of the parameters and of all else that decides an output."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model's files; no pickle."""
        ...


class ClassifierSource:
    """A trained classifier; it always has an opinion, so it never says that it does not know."""

    name = "classifier"
    keeps_expert_labels = False

    def __init__(self, info: ClassifierInfo, model: Model, folder: Path | None = None) -> None:
        self.info = info
        self.model = model
        self._folder = folder

    @property
    def version(self) -> str:
        """The base model and the format of the folder, and what errors cost."""
        costs = "" if self.info.costs is None else f"+under{self.info.costs[2][1]:g}"
        return f"{self.info.base}:v{self.info.format_version}{costs}"

    @property
    def sha256(self) -> str:
        """Digest of the parameters and the temperature."""
        return self.info.sha256

    @property
    def costs(self) -> Costs | None:
        """What errors cost, by which the label is decided; None: the most probable severity is the label."""
        return self.info.costs

    @property
    def folder(self) -> Path | None:
        """Where it was read from; None while it is being trained."""
        return self._folder

    @cached_property
    def training_text(self) -> TrainingText | None:
        """What is kept of the text that it was trained on; None where an earlier version trained it."""
        return None if self._folder is None else read_training_text(self._folder)

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Calibrated probabilities, shape (n, 3)."""
        if not questions:
            return np.empty((0, 3))
        return calibrated(self.model.logits(questions), self.info.temperature, self.info.bias)


def calibrated(
    logits: Probabilities, temperature: float, bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Probabilities:
    """Softmax of logits / temperature + bias over the rows of shape (n, 3).

    Temperature: Guo et al. 2017, arXiv 1706.04599. Bias: Alexandari, Kundaje and Shrikumar 2020, arXiv 1901.06852.
    """
    scaled = logits / temperature + np.array(bias)
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: Probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def open_classifier(folder: Path) -> ClassifierSource:
    """Load a classifier that ``maqa train classifier`` wrote.

    Raises:
        UserError: the folder is missing, foreign, of another version or changed.
    """
    if not folder.is_dir():
        raise UserError(f"classifier folder {folder} does not exist", f"Train one with {_TRAIN}")
    path = folder / NOTE
    record = read_json(path, _REMEDY)
    version = record.get("format_version") if isinstance(record, dict) else None
    if version != FORMAT_VERSION:
        raise UserError(f"{path} has format_version {version}, not {FORMAT_VERSION}", _REMEDY)
    info = validated(ClassifierInfo, record, str(path), _REMEDY)
    if info.columns != PROBABILITY_COLUMNS:
        raise UserError(f"{path} has the classes {', '.join(info.columns)}", _REMEDY)
    source = ClassifierSource(info, _load(folder, info), folder)
    if (found := source.model.digest()) != info.sha256:
        raise UserError(f"{folder} was changed since {NOTE} was written ({found[:12]})", _REMEDY)
    return source


def _load(folder: Path, info: ClassifierInfo) -> Model:
    # Imported where it is used: only two of the kinds need torch.
    if info.kind is Kind.TFIDF:
        from .classifier_tfidf import TfidfModel

        return TfidfModel.load(folder, info)
    if info.kind is Kind.EMBEDDING:
        from .classifier_embedding import EmbeddingModel

        return EmbeddingModel.load(folder, info)
    if info.kind is Kind.STACKED:
        from .classifier_stacked import StackedModel

        return StackedModel.load(folder, info)
    from .classifier_transformers import TransformersModel

    return TransformersModel.load(folder, info)
