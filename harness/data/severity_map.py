"""What the values of somebody's severity column mean: known words and levels, or a map that says it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..core.files import read_json
from ..languages import DEFAULT, Language, language
from ..languages.severities import number_alone
from ..languages.text import Profile, normalise
from ..severity import CLASS_OF_LEVEL, Grade, Severity, parse_grade, whole_number
from .sources import open_source

OPTION = "--severity-map"
_MOST = 20
_FORM = f"Write {OPTION} 1=critical,2=neutral,3=non_critical, or a table or JSON file of value and severity"


@dataclass(frozen=True)
class SeverityMap:
    """Reads values as ``parse_grade`` does, or by a map alone, which then must name every value.

    ``levels``: whether a number that names no scale is a level of triage, as on the sheets of the coding manual; in
    a column of anybody's it may count from either end. ``read`` collects what each value was read as, for a note to
    the user.
    """

    entries: Mapping[str, Grade] | None = None
    tongue: Language = field(default_factory=lambda: language(DEFAULT))
    read: dict[str, Grade] = field(default_factory=dict, compare=False)
    levels: bool = True

    def of(self, value: str) -> Grade:
        """The grade of a value.

        Raises:
            UserError: the map misses it, or without a map nobody knows it, or it is a number of no known scale.
        """
        value = str(value)
        if (known := self.read.get(value)) is not None:
            return known
        if self.entries is None:
            if not self.levels and (number := _number(value)) is not None:
                raise UserError(
                    f"the severity {value.strip()!r} is a number, which may count from either end",
                    f"Say what it means: {OPTION} '{number}=...'",
                )
            try:
                grade = parse_grade(value)
            except UserError as error:
                shown = value.strip() or "VALUE"
                raise UserError(
                    error.problem, f"{error.remedy}; or say what it means: {OPTION} '{shown}=...'"
                ) from None
        elif (found := self.entries.get(_key(value, self.tongue))) is None:
            raise UserError(f"the severity map does not name {value!r}", f"Add '{value}=...' to {OPTION}")
        else:
            grade = found
        self.read[value] = grade
        return grade

    def __str__(self) -> str:
        """How values were read: ``1 is critical, 3 is neutral``; empty where each is its own name."""
        told = {value.strip(): grade for value, grade in self.read.items()}
        if all(value == str(grade.severity) for value, grade in told.items()):
            return ""
        return ", ".join(f"{value} is {grade.severity}" for value, grade in sorted(told.items()))

    def to_begin_with(self, values: Iterable[str]) -> str:
        """What to write for these values of a column: the option, whole where all are numbers of a usual scale."""
        values = sorted({value.strip() for value in values if value.strip()})
        numbers = {value: _number(value) for value in values}
        seen = {number for number in numbers.values() if number is not None}
        if None not in numbers.values():
            for scale in _SCALES:
                if seen <= set(range(scale.first, scale.first + len(scale.severities))):
                    pairs = dict(enumerate(scale.severities, start=scale.first))
                    back = dict(enumerate(reversed(scale.severities), start=scale.first))
                    way = f"where {scale.first} is the {scale.says}"
                    return f"{_line(pairs)} {way}, or {_line(back)} the other way round"
        if len(values) > _MOST or any(mark in value for value in values for mark in ",\u060c"):
            return f"{OPTION} FILE, a table of value and severity"
        told = {}
        for value in values:
            try:
                told[value] = str(replace(self, read={}).of(value).severity)
            except UserError:
                told[value] = "..."
        return _line(told)


@dataclass(frozen=True)
class _Scale:
    """Numbers that people use: from ``first`` on, which ``says`` how urgent the first is."""

    first: int
    says: str
    severities: tuple[Severity, ...]


_SCALES = (
    _Scale(0, "mildest", (Severity.NON_CRITICAL, Severity.CRITICAL)),
    _Scale(0, "mildest", (Severity.NON_CRITICAL, Severity.NEUTRAL, Severity.CRITICAL)),
    _Scale(1, "most urgent", (Severity.CRITICAL, Severity.NEUTRAL, Severity.NON_CRITICAL)),
    _Scale(1, "most urgent, as in triage", tuple(CLASS_OF_LEVEL.values())),
)
"""The shortest that holds all numbers of a column is offered."""


def _line(pairs: Mapping[Any, Any]) -> str:
    listed = ",".join(f"{value}={meaning}" for value, meaning in pairs.items())
    return f"{OPTION} {shlex.quote(listed)}"


def read_severity_map(given: str | None, tongue: Language) -> SeverityMap:
    """The map of ``--severity-map``: a file, or ``value=severity`` pairs with commas between; None for no map.

    Raises:
        UserError: it is neither, names a value twice with two meanings, or a severity that nobody knows.
    """
    if given is None:
        return SeverityMap(None, tongue)
    pairs = _of_file(Path(given)) if Path(given).is_file() else _inline(given)
    entries: dict[str, Grade] = {}
    for value, meaning in pairs:
        try:
            grade = parse_grade(meaning)
        except UserError as error:
            raise UserError(f"{OPTION} says {meaning!r} for {value!r}: {error.problem}", error.remedy) from None
        if entries.setdefault(_key(value, tongue), grade) != grade:
            raise UserError(f"{OPTION} gives {value!r} two meanings", "Name each value once")
    if not entries:
        raise UserError(f"{OPTION} names no value", _FORM)
    return SeverityMap(entries, tongue)


def _inline(given: str) -> list[tuple[str, str]]:
    parts = [part.rpartition("=") for part in given.replace("\u060c", ",").split(",") if part.strip()]
    if bad := next((part for part in parts if not (part[0].strip() and part[2].strip())), None):
        what = f"{bad[2]!r} without =" if not bad[1] else "a value or a severity that is empty"
        raise UserError(f"{OPTION} {given!r} is no file and has {what}", _FORM)
    return [(value.strip(), meaning.strip()) for value, _, meaning in parts]


def _of_file(path: Path) -> list[tuple[str, str]]:
    if path.suffix.lower() == ".json":
        found = read_json(path, _FORM)
        if not isinstance(found, dict) or not all(isinstance(each, str | int) for each in found.values()):
            raise UserError(f"{path} is no JSON object of values and severities", _FORM)
        return [(str(value), str(meaning)) for value, meaning in found.items()]
    source = open_source(path)
    if len(source.columns) != 2:
        raise UserError(f"{path} has {len(source.columns)} columns, not value and severity", _FORM)
    return [
        (value or "", meaning or "")
        for batch in source.batches([0, 1])
        for value, meaning in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]


def _number(value: str) -> int | None:
    number = whole_number(value)
    return number_alone(value) if number is None else number


def _key(value: str, tongue: Language) -> str:
    number = _number(value)
    return str(number) if number is not None else normalise(value, Profile.METRIC, tongue) or value.strip()
