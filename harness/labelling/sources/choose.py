"""Severity sources by name: the choice behind ``maqa label --with``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import UserError
from ...data.dataset import Dataset
from ...data.severity_map import SeverityMap
from ...languages import Language
from .base import ColumnSource, SeveritySource
from .classifier import ClassifierSource, open_classifier
from .hybrid import HybridSource
from .rules import RulesSource

CHOICES = "rules, column, hybrid, the folder of a trained classifier or a file of people's labels"
Opener = Callable[[Language], SeveritySource]


@dataclass(frozen=True)
class Around:
    """What a source may need beside its name.

    Attributes:
        dataset: whose complaints people's labels are of.
        severities: what the values in these mean.
        others: sources of rooms above, by name.
    """

    dataset: Dataset | None = None
    severities: SeverityMap = field(default_factory=SeverityMap)
    others: Mapping[str, Opener] = field(default_factory=dict)


def open_source(
    choice: str, language: Language, classifier: Path | None = None, around: Around | None = None
) -> SeveritySource:
    """The source called ``choice``: a name, a classifier's folder, or a file of people's labels.

    Args:
        language: of the questions.
        classifier: the folder of the classifier that ``hybrid`` falls back on; only ``hybrid`` has one.

    Raises:
        UserError: nobody knows the choice, the language has no severity lexicon, the classifier is missing,
            foreign or of another language, or the labels cannot be read or are of other complaints.
    """
    around = around or Around()
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
    if choice in around.others:
        return around.others[choice](language)
    if Path(choice).is_file():
        return _people(Path(choice), around)
    if Path(choice).exists() or "/" in choice:
        return _classifier(Path(choice), language)
    names = ", ".join([*around.others, CHOICES])
    raise UserError(f"unknown severity source {choice!r}", f"Use {names}")


def open_sources(
    choices: Sequence[str], language: Language, classifier: Path | None = None, around: Around | None = None
) -> list[SeveritySource]:
    """Several sources beside each other; ``column`` is people's labels in the dataset, as a source of its own.

    Raises:
        UserError: see ``open_source``; or one is named twice, or there are no labels by people.
    """
    around = around or Around()
    if twice := next((each for each in choices if choices.count(each) > 1), None):
        raise UserError(f"--with {twice} stands twice", "Name each source once")
    if classifier is not None and "hybrid" not in choices:
        raise UserError("--classifier goes with --with hybrid alone", "Leave it out, or add --with hybrid")
    found: list[SeveritySource] = []
    for choice in choices:
        if choice == "column" and around.dataset is not None:
            from ..people.people import of_own_column
            from .people import PeopleSource

            found.append(PeopleSource(of_own_column(around.dataset), "column"))
        else:
            found.append(open_source(choice, language, classifier if choice == "hybrid" else None, around))
    return found


def _people(path: Path, around: Around) -> SeveritySource:
    from ..people.people import read_people
    from .people import PeopleSource

    if around.dataset is None:
        raise UserError(f"{path} labels the complaints of a dataset, and none is named", "Name the dataset")
    return PeopleSource(read_people([path], around.dataset, around.severities), path.name)


def _classifier(folder: Path, language: Language) -> ClassifierSource:
    source = open_classifier(folder)
    if source.info.language != language.code:
        raise UserError(
            f"{folder} was trained on {source.info.language}, the questions are {language.name} ({language.code})",
            "Train a classifier on a dataset of this language",
        )
    return source
