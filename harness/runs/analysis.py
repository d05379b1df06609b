"""A declared analysis: what is tested, how often, and against what, written down before the data are seen."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from ..core.errors import UserError
from ..core.files import sha256_text
from ..core.settings import Record, first_problem
from ..core.yaml_files import read_yaml
from ..statistics import OVERALL, STRATA
from ..statistics.margins import Margin, checked_margin
from ..statistics.spending import LEAST_STEP, Spending, level_at
from ..statistics.verdicts import ALPHA

_REMEDY = "Its keys are primary, secondary, contrasts, models, strata, margin and looks: docs/files.md"


Name = Annotated[str, Field(min_length=1)]


class Contrast(Record):
    """That ``arm`` differs from the one arm it is set ``against``; of several, that it is better than each."""

    arm: Name
    against: list[Name] = Field(min_length=1)

    @field_validator("against", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _apart(self) -> Contrast:
        named = [self.arm, *self.against]
        if twice := [name for name in named if named.count(name) > 1]:
            raise ValueError(f"names arm {twice[0]!r} twice")
        return self

    def __str__(self) -> str:
        return f"{self.arm} against {', '.join(self.against)}"


class Looks(Record):
    """When the data are looked at: shares ``at`` of all information that is planned, and how the level is spent."""

    at: list[float] = Field(min_length=2, max_length=20)
    spending: Spending = Spending.OBRIEN_FLEMING

    @field_validator("at")
    @classmethod
    def _rise_to_the_whole(cls, at: list[float]) -> list[float]:
        if not all(before < after for before, after in pairwise(at)):
            raise ValueError("looks are not in the order of their information")
        if not (at[0] >= LEAST_STEP and at[-1] == 1):
            raise ValueError(
                f"looks are shares of the planned information, from {LEAST_STEP} on, and the last is 1"
            )
        if any(after - before < LEAST_STEP * (1 - 1e-9) for before, after in pairwise(at)):
            raise ValueError(f"two looks lie closer than {LEAST_STEP}")
        return at


class Analysis(Record):
    """What is declared.

    Attributes:
        primary: the metric that decides.
        secondary: metrics that are tested only if every primary test finds a gain.
        contrasts: arms set against each other; empty for the two sides of a comparison.
        models: names of bases; empty for all that are given.
        strata: severities, or ``overall``.
        margin: percentage points for every declared metric, or by metric.
        looks: absent where the data are looked at once.
    """

    primary: Name
    secondary: list[Name] = []
    contrasts: list[Contrast] = []
    models: list[str] = []
    strata: list[str] = Field(default=[OVERALL], min_length=1)
    margin: float | dict[str, float] | None = None
    looks: Looks | None = None

    @field_validator("margin", mode="before")
    @classmethod
    def _in_points(cls, value: Any) -> Any:
        for each in value.values() if isinstance(value, dict) else [] if value is None else [value]:
            try:
                checked_margin(each)
            except UserError as error:
                raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Analysis:
        for name in ("secondary", "contrasts", "models", "strata"):
            values = [str(each) for each in getattr(self, name)]
            if twice := [value for value in values if values.count(value) > 1]:
                raise ValueError(f"{name} has {twice[0]!r} twice")
        asked = [(each.arm, {*each.against}) for each in self.contrasts]
        if same := [each for each, own in zip(self.contrasts, asked, strict=True) if asked.count(own) > 1]:
            raise ValueError(f"contrasts has '{same[0]}' twice, in another order")
        if self.primary in self.secondary:
            raise ValueError(f"{self.primary!r} is primary and secondary")
        if unknown := [each for each in self.strata if each not in STRATA]:
            raise ValueError(f"strata has {unknown[0]!r}, which is none of {', '.join(STRATA)}")
        if isinstance(self.margin, dict) and (odd := [each for each in self.margin if each not in self.metrics]):
            raise ValueError(f"margin has {odd[0]!r}, which is no declared metric")
        return self

    @property
    def metrics(self) -> list[str]:
        """Every declared metric, the primary one first."""
        return [self.primary, *self.secondary]

    @property
    def margins(self) -> dict[str, float]:
        """Points by metric."""
        if isinstance(self.margin, dict):
            return self.margin
        return {} if self.margin is None else dict.fromkeys(self.metrics, self.margin)

    def margins_at(self, look: int, models: int) -> dict[str, Margin]:
        """The margins with the level of a declared test of being no worse.

        That an arm is no worse is a test beside the one that it is better, and nested in it: whoever is better is
        no worse (CPMP 2000, Points to consider on switching between superiority and non-inferiority,
        CPMP/EWP/482/99; Morikawa and Yoshida 1995, doi 10.1080/10543409508835115), so of a single test both have
        the whole level. Of m tests of a role those of being no worse are a family of their own, each at the level
        over m (Bonferroni), one-sided as an interval's end is. Claims in the arm's favour, better or no worse, are
        thus wrong in 5 % at most in all: 2.5 % of each family. Several looks spend each of these levels.

        Args:
            look: from 1.
            models: how many are compared.
        """
        found = {}
        for role in ([self.primary], self.secondary):
            tests = len(role) * max(1, len(self.contrasts)) * models * len(self.strata)
            for metric in role:
                if metric in self.margins:
                    alpha = ALPHA / tests
                    if self.looks:
                        alpha = level_at(self.looks.spending, self.looks.at, look, alpha)
                    found[metric] = Margin(self.margins[metric], alpha)
        return found

    @property
    def arms(self) -> list[str]:
        """The arms of all contrasts."""
        return list(dict.fromkeys(name for each in self.contrasts for name in (*each.against, each.arm)))

    @property
    def sha256(self) -> str:
        """Digest of the content with every default filled in: comments, order of keys and spaces do not count."""
        content = self.model_dump(mode="json")
        return sha256_text(json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")))

    def at_look(self, look: int | None) -> int:
        """Which look this is, from 1.

        Raises:
            UserError: it is none of those that are planned, or nothing says which it is.
        """
        planned = len(self.looks.at) if self.looks else 1
        if look is None:
            if planned > 1:
                raise UserError(
                    f"the analysis plans {planned} looks, and nothing says which one this is",
                    f"Give --look 1 to --look {planned}",
                )
            return 1
        if self.looks is None:
            raise UserError(f"--look {look}: the analysis plans no looks", "Leave --look out")
        if not 1 <= look <= planned:
            raise UserError(
                f"--look {look}: the analysis plans {planned} looks", f"Give --look 1 to --look {planned}"
            )
        return look


def load_analysis(path: Path) -> Analysis:
    """Read an analysis file.

    Raises:
        UserError: the file is missing or no YAML, a key is unknown, or a value is impossible.
    """
    try:
        return Analysis.model_validate(read_yaml(path, _REMEDY))
    except ValidationError as error:
        key, problem, value = first_problem(error)
        shown = "" if not key or isinstance(value, dict) else f" with {value!r}"
        raise UserError(f"{path}: key {key or 'the analysis'!r}{shown}: {problem}", _REMEDY) from None
