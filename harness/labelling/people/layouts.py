"""Tables of labels: one row per label, or one row per complaint with a column per annotator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...core.errors import UserError
from ...data.columns import Role, aliases
from ...data.severity_map import SeverityMap
from ...languages import Language
from ...languages.severities import says_nothing
from ...languages.text import Profile, normalise
from ...severity import Grade, whole_number
from .columns import ANNOTATOR, LABEL_OF, Cells, known, places, shown

REMEDY = (
    "Give columns id (or question) and severity, with annotator for one row per label, or one column per annotator"
)


@dataclass(frozen=True)
class Label:
    """One label, and what stands beside it.

    Attributes:
        where: names its place in an error.
        annotator: empty for the only one of a file, who is not named.
        settled: whether it is what was settled on among annotators who stand beside it.
        cells: id, question, category, time, batch and file, those that are there.
    """

    where: str
    annotator: str
    grade: Grade
    cells: Mapping[str, str] = field(default_factory=dict)
    settled: bool = False


def labels_of_rows(
    path: object,
    columns: Sequence[str],
    rows: Iterable[tuple[str, Cells]],
    tongue: Language,
    severities: SeverityMap,
) -> Iterator[Label]:
    """The labels of a table; empty cells, and what says that an item was skipped, are none.

    With a column of annotators each row is one label. Else the columns named ``label:NAME`` are annotators beside
    what was settled on. Else a column of severities is one annotator, unless others go on from its name
    ("severity 2"): then each is. Without any, every column is one whose first word is a severity.

    Raises:
        UserError: there is no id and no question, no label, or one that the map misses.
    """
    kinds = places(columns, tongue)
    if not {str(Role.ID), str(Role.QUESTION)} & set(kinds):
        raise UserError(f"{path} has no id and no question; it has {shown(columns)}", REMEDY)
    kept = [(where, cells) for where, cells in rows if any(value.strip() for value in cells.values())]
    found = _label_columns(path, columns, kinds, [cells for _, cells in kept], tongue, severities)
    for where, cells in kept:
        circumstances = {kind: cells[columns[place]].strip() for kind, place in kinds.items() if kind != ANNOTATOR}
        for name, annotator in found.items():
            if says_nothing(value := cells[name]):
                continue
            if not (circumstances.get(str(Role.ID)) or circumstances.get(str(Role.QUESTION))):
                raise UserError(f"{where} has no id", REMEDY)
            who = cells[columns[kinds[ANNOTATOR]]].strip() if ANNOTATOR in kinds else annotator
            if ANNOTATOR in kinds and not who:
                raise UserError(
                    f"{where} does not say who labelled it", "Name the annotator, or leave the column out"
                )
            try:
                grade = _levelled(severities.of(value), cells, name, columns, tongue)
            except UserError as error:
                raise UserError(f"{where} column {name!r}: {error.problem}", error.remedy) from None
            yield Label(where, _plain(who), grade, circumstances, settled=annotator == "" and len(found) > 1)


def _label_columns(
    path: object,
    columns: Sequence[str],
    kinds: Mapping[str, int],
    rows: Sequence[Cells],
    tongue: Language,
    severities: SeverityMap,
) -> dict[str, str]:
    """Columns of labels with whose they are; empty for one that nobody is named for."""
    header = [normalise(name, Profile.METRIC, tongue) for name in columns]
    place = next((header.index(each) for each in aliases(Role.SEVERITY, tongue) if each in header), None)
    severity = None if place is None else columns[place]
    if ANNOTATOR in kinds and severity is not None:
        return {severity: ""}
    if own := {name: name[len(LABEL_OF) :].strip() for name in columns if name.lower().startswith(LABEL_OF)}:
        return ({severity: ""} if severity is not None else {}) | own
    # By one letter an annotator is called as well as an answer.
    answers = {name for name in columns if known(name, "answer", tongue) and len(name.strip()) > 1}
    rest = [
        name
        for number, name in enumerate(columns)
        if number not in kinds.values() and not known(name, "note", tongue) and name not in answers
    ]
    if severity is not None:
        stem = normalise(severity, Profile.METRIC, tongue)
        more = [name for name in rest if normalise(name, Profile.METRIC, tongue).startswith(f"{stem} ")]
        more = [name for name in more if _may_be_labels(name, rows, severities)]
        return {severity: ""} if not more else {name: name for name in (severity, *more)}
    if found := {name: name for name in rest if _may_be_labels(name, rows, severities)}:
        return found
    raise UserError(f"{path} has no column of severities; it has {shown(columns)}", REMEDY)


def _may_be_labels(name: str, rows: Sequence[Cells], severities: SeverityMap) -> bool:
    """By the first words in it; numbers are labels if all of them are on the scale."""
    values = [value for cells in rows if not says_nothing(value := cells[name])]
    numbers = [whole_number(value) is not None for value in values]
    for value in values if all(numbers) else values[:1]:
        try:
            severities.of(value)
        except UserError:
            return False
    return bool(values)


def _levelled(grade: Grade, cells: Cells, name: str, columns: Sequence[str], tongue: Language) -> Grade:
    """With the level that stands in a column of that name, where the label itself is a class."""
    level = next(
        (each for each in columns if normalise(each, Profile.METRIC, tongue) == "level" and each != name), None
    )
    number = whole_number(cells[level]) if level is not None else None
    if grade.level is None and number is not None and number in range(1, 6):
        return Grade(grade.severity, number)
    return grade


def _plain(name: str) -> str:
    """An annotator's name; one that a sheet made a number of is written as a whole one."""
    number = whole_number(name)
    return name.strip() if number is None else str(number)
