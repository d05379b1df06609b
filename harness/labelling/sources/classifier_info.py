"""What identifies a trained severity classifier."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from ...core.settings import Record
from ...severity import PROBABILITY_COLUMNS
from .decisions import Costs

FORMAT_VERSION = 1


class Kind(StrEnum):
    """How a classifier is made."""

    TFIDF = "tfidf"
    EMBEDDING = "embedding"
    STACKED = "stacked"
    TRANSFORMERS = "transformers"


class ClassifierInfo(Record):
    """The content of ``classifier.json``: everything that identifies a classifier.

    ``columns`` is the order of its outputs; ``dataset`` names the data it was
    trained on, with the source of their labels; ``sha256`` is the digest of its parameters.
    Logits are divided by ``temperature``, then ``bias`` is added. ``chosen`` are the settings that inner folds
    chose, with the ranked probability score of each candidate; ``grouped_by`` says which rows never stood on both
    sides of a fold. ``costs`` are those by which labels are decided; None: the most probable severity is the label.
    """

    format_version: int = FORMAT_VERSION
    kind: Kind
    base: str
    language: str
    columns: tuple[str, ...] = PROBABILITY_COLUMNS
    seed: int
    temperature: float
    calibrated_on: str
    sha256: str
    dataset: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str]
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    chosen: dict[str, Any] = {}
    grouped_by: str = ""
    costs: Costs | None = None
