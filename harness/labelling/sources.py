"""Severity sources by name: the choice behind ``maqa label --with``."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from ..languages import Language
from .base import ColumnSource, SeveritySource
from .classifier import open_classifier
from .hybrid import HybridSource
from .rules import RulesSource

CHOICES = "rules, column, hybrid or the folder of a trained classifier"


def open_source(choice: str, language: Language, classifier: Path | None = None) -> SeveritySource:
    """The source called ``choice``: a name, or a classifier's folder.

    Args:
        language: of the questions.
        classifier: the folder of the classifier that ``hybrid`` falls back on; only ``hybrid`` has one.

    Raises:
        UserError: nobody knows the choice, or the classifier is missing or foreign.
    """
    if choice != "hybrid" and classifier is not None:
        raise UserError("--classifier goes with --with hybrid alone", "Leave it out, or use --with hybrid")
    if choice == "rules":
        return RulesSource(language)
    if choice == "column":
        return ColumnSource()
    if choice == "hybrid":
        if classifier is None:
            raise UserError("hybrid lacks its classifier", "Name its folder with --classifier")
        return HybridSource(RulesSource(language), open_classifier(classifier))
    if Path(choice).exists() or "/" in choice:
        return open_classifier(Path(choice))
    raise UserError(f"unknown severity source {choice!r}", f"Use {CHOICES}")
