"""Label Studio's JSON exports of somebody's own project, full or flat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from ...data.columns import Role, aliases, is_doubtful
from ...data.severity_map import SeverityMap
from ...languages import Language
from ...languages.severities import says_nothing
from ...languages.text import Profile, normalise
from .columns import ANNOTATOR, KINDS, TIME, Cells, places
from .layouts import Label

_VALUES = ("choices", "labels", "rating", "number", "text")
REMEDY = "Export the project as JSON, with id or question in each task's data"


def is_full(content: Any) -> bool:
    """Whether it is a list of tasks with annotations, and not a flat one."""
    return isinstance(content, list) and any(
        isinstance(each, dict) and ("annotations" in each or "completions" in each) for each in content
    )


def labels_of_tasks(content: list[Any], path: Path, tongue: Language, severities: SeverityMap) -> Iterator[Label]:
    """The labels of a full export; annotations that were cancelled or say nothing are none.

    Raises:
        UserError: a task has no id and no question, an annotation two severities, or one that the map misses.
    """
    controls = _controls(content, tongue, severities)
    for number, task in enumerate(content, start=1):
        where = f"{path} task {number}"
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict):
            raise UserError(f"{where} has no data", REMEDY)
        if {"item", "sheet", "kind"} <= set(data):
            raise UserError(
                f"{where} is of a sheet for raters", "Read it with `maqa ratings import FILE --key KEY`"
            )
        cells = circumstances(data, tongue)
        if not {str(Role.ID), str(Role.QUESTION)} & set(cells):
            raise UserError(f"{where} has no id and no question in its data", REMEDY)
        for annotation in _annotations(task):
            values = list(dict.fromkeys(value for control, value in _given(annotation) if control in controls))
            if len(values) > 1:
                raise UserError(f"{where} has two severities in one annotation: {' and '.join(values)}", "Keep one")
            for value in values:
                try:
                    grade = severities.of(value)
                except UserError as error:
                    raise UserError(f"{where}: {error.problem}", error.remedy) from None
                when = {TIME: str(annotation["created_at"])} if annotation.get("created_at") else {}
                yield Label(where, annotator_of(annotation.get("completed_by")), grade, {**cells, **when})


def flat_rows(content: list[Any], path: Path) -> tuple[list[str], list[tuple[str, Cells]]]:
    """Columns and rows of a flat export (JSON-MIN), or of any list of records.

    Raises:
        UserError: it is none.
    """
    if not content or not all(isinstance(each, dict) for each in content):
        raise UserError(f"{path} is no list of tasks or records", REMEDY)
    columns = list(dict.fromkeys(str(name) for each in content for name in each))
    rows: list[tuple[str, Cells]] = [
        (f"{path} record {number}", {name: _text(each.get(name), name) for name in columns})
        for number, each in enumerate(content, start=1)
    ]
    return columns, rows


def circumstances(data: dict[str, Any], tongue: Language) -> dict[str, str]:
    """The id, question and so on of a record."""
    columns = [str(name) for name in data]
    found = places(columns, tongue)
    cells = {kind: _text(data[columns[found[kind]]], kind) for kind in KINDS if kind in found and kind != ANNOTATOR}
    return {kind: value for kind, value in cells.items() if value}


def annotator_of(completed_by: Any) -> str:
    """An annotator by address, name or number; ``unknown`` where nobody is named."""
    if isinstance(completed_by, dict):
        name = " ".join(str(completed_by.get(part) or "") for part in ("first_name", "last_name")).strip()
        return str(
            completed_by.get("email") or completed_by.get("username") or name or completed_by.get("id") or "unknown"
        )
    return str(completed_by if completed_by is not None else "unknown")


def _controls(content: list[Any], tongue: Language, severities: SeverityMap) -> set[str]:
    """The controls of a project that say severities: one that is called so, else those whose values are such."""
    first: dict[str, str] = {}
    for task in content:
        for annotation in _annotations(task):
            for control, value in _given(annotation):
                first.setdefault(control, value)
    called = {name for name in first if normalise(name, Profile.METRIC, tongue) in aliases(Role.SEVERITY, tongue)}
    if sure := {name for name in called if not is_doubtful(name, tongue)} or called:
        return sure
    return {control for control, value in first.items() if len(first) == 1 or _known(value, severities)}


def _annotations(task: Any) -> list[Any]:
    """A task's annotations, without those that were cancelled."""
    listed = (task.get("annotations") or task.get("completions") or []) if isinstance(task, dict) else []
    return [each for each in listed if not (each.get("was_cancelled") or each.get("skipped"))]


def _given(annotation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each control with a value that it was given."""
    for result in annotation.get("result") or []:
        value = result.get("value", {}) if isinstance(result, dict) else {}
        given = value.get(
            "choices", value.get("labels", value.get("rating", value.get("number", value.get("text"))))
        )
        for each in given if isinstance(given, list) else [given]:
            if each is not None and not says_nothing(str(each)):
                yield str(result.get("from_name", "")), str(each)


def _known(value: str, severities: SeverityMap) -> bool:
    try:
        severities.of(value)
    except UserError:
        return False
    return True


def _text(value: Any, name: str) -> str:
    """A field as text: of a choice the choice, of a list its only member, of a person the name."""
    if isinstance(value, dict) and "choices" in value:
        value = value["choices"]
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if isinstance(value, dict):
        return annotator_of(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
