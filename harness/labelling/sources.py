"""Severity sources by name: the choice behind ``maqa label --with``."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from .base import ColumnSource, SeveritySource
from .rules import RulesSource

CHOICES = "rules, column, hybrid or the folder of a trained classifier"


def open_source(choice: str, classifier: Path | None = None) -> SeveritySource:
    """The source called ``choice``: a name, or a classifier's folder.

    Args:
        classifier: the folder of the classifier that ``hybrid`` falls back on; only ``hybrid`` has one.

    Raises:
        UserError: nobody knows the choice, or the classifier is missing or foreign.
    """
    if choice == "rules":
        return RulesSource()
    if choice == "column":
        return ColumnSource()
    raise UserError(f"unknown severity source {choice!r}", f"Use {CHOICES}")
