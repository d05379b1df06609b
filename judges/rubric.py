"""A rubric: criteria as data, each with the points that it earns or costs at each severity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import Field, model_validator

from ..harness.core.errors import UserError
from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.core.settings import Record
from ..harness.generation.store.lines import digest
from ..harness.languages import codes, language
from ..harness.severity import Severity

_FILE = "rubric.json"
_REMEDY = 'Write {"name": ..., "criteria": [{"id": ..., "text": ..., "points": {"critical": 5, ...}}, ...]}'


class Criterion(Record):
    """One thing that an answer does or does not do.

    It is worded so that words of the answer can show it: what would be bad is a criterion of its own, with negative
    points. A severity that ``points`` lacks is not asked for it.
    """

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")
    text: str = Field(min_length=1)
    points: dict[Severity, float]

    @model_validator(mode="before")
    @classmethod
    def _one_number_for_all(cls, values: object) -> object:
        if isinstance(values, dict) and isinstance(values.get("points"), int | float):
            return values | {"points": dict.fromkeys(map(str, Severity), values["points"])}
        return values


class Rubric(Record):
    """Weighted, severity-specific criteria in the manner of HealthBench (Arora et al. 2025, arXiv 2505.08775)."""

    version: int = 1
    name: str
    language: str | None = None
    criteria: tuple[Criterion, ...]

    @property
    def digest(self) -> str:
        """Of everything that the judge reads and that makes the score."""
        return digest(self.model_dump(mode="json"))

    def of(self, severity: str) -> list[Criterion]:
        """The criteria for answers to questions of this severity."""
        return [each for each in self.criteria if each.points.get(Severity(severity))]

    def best(self, severity: str) -> float:
        """The points of an answer that meets all that is good and nothing that is bad."""
        return sum(max(each.points[Severity(severity)], 0.0) for each in self.of(severity))

    def demand(self, severities: Iterable[str], where: str) -> None:
        """Raises:
        UserError: answers of one of the severities could earn nothing.
        """
        for severity in severities:
            if self.best(severity) <= 0:
                raise UserError(
                    f"{where} has no criterion that earns points for {severity} questions",
                    f"Give one points for {severity}, or judge runs without such questions",
                )


def read_rubric(given: str | None, spoken: str) -> tuple[Rubric, str]:
    """The rubric that ``--rubric`` names, a file or a language's code, else that of the language ``spoken``; and
    where it stands.

    Raises:
        UserError: there is none, or it is no rubric: without criteria, one twice, or points whose sum is negative.
    """
    if given is not None and given not in codes():
        path = Path(given)
    else:
        path = language(given or spoken).folder / _FILE
        if not path.is_file():
            have = [code for code in codes() if (language(code).folder / _FILE).is_file()]
            raise UserError(
                f"no rubric is written in {given or spoken}", f"Give --rubric FILE, or one of {', '.join(have)}"
            )
    rubric = validated(Rubric, read_json(path, _REMEDY), str(path), _REMEDY)
    _check(rubric.criteria, path)
    return rubric, str(path)


def _check(criteria: Sequence[Criterion], path: Path) -> None:
    if not criteria:
        raise UserError(f"{path} has no criteria", _REMEDY)
    names = [each.id for each in criteria]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"{path} has two criteria with the id {twice}", "Give each its own")
    for severity in Severity:
        points = [each.points[severity] for each in criteria if severity in each.points]
        if not all(abs(value) < 1e6 for value in points):
            raise UserError(f"{path} has points beyond a million for {severity}", "Give smaller ones")
        if sum(points) < 0:
            raise UserError(
                f"{path}: the points for {severity} sum to {sum(points):g}, below 0",
                "Let what an answer can earn be at least what it can lose",
            )
