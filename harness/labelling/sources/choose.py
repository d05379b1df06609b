"""Severity sources by name: the choice behind ``maqa label --with``."""

from __future__ import annotations

from pathlib import Path

from ...core.errors import UserError
from ...languages import Language
from .base import ColumnSource, SeveritySource
from .classifier import ClassifierSource, open_classifier
from .hybrid import HybridSource
from .rules import RulesSource

CHOICES = "rules, column, hybrid or the folder of a trained classifier"


def open_source(choice: str, language: Language, classifier: Path | None = None) -> SeveritySource:
    """The source called ``choice``: a name, or a classifier's folder.

    Args:
        language: of the questions.
        classifier: the folder of the classifier that ``hybrid`` falls back on; only ``hybrid`` has one.

    Raises:
        UserError: nobody knows the choice, the language has no severity lexicon, or the classifier is missing,
            foreign or of another language.
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
        return HybridSource(RulesSource(language), _classifier(classifier, language))
    if Path(choice).exists() or "/" in choice:
        return _classifier(Path(choice), language)
    raise UserError(f"unknown severity source {choice!r}", f"Use {CHOICES}")


def _classifier(folder: Path, language: Language) -> ClassifierSource:
    source = open_classifier(folder)
    if source.info.language != language.code:
        raise UserError(
            f"{folder} was trained on {source.info.language}, the questions are {language.name} ({language.code})",
            "Train a classifier on a dataset of this language",
        )
    return source
