"""What identifies a trained severity classifier."""

from __future__ import annotations

from typing import Any, Literal

from ...core.settings import Record
from ...severity import PROBABILITY_COLUMNS
from .decisions import Costs

FORMAT_VERSION = 1


class ClassifierInfo(Record):
    """The content of ``classifier.json``: everything that identifies a classifier.

    ``temperature`` divides the logits; ``columns`` is the order of its outputs; ``dataset`` names the data it was
    trained on, with the source of their labels; ``sha256`` is the digest of its parameters.
    ``costs`` are those by which labels are decided; None: the most probable severity is the label.
    """

    format_version: int = FORMAT_VERSION
    kind: Literal["tfidf", "transformers"]
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
    costs: Costs | None = None
