"""What finished experiments leave that a claim can be held against: a board, and the comparison of arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..harness.core.errors import UserError
from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.core.sealing import demand_seal, fits_seal
from ..harness.languages.messages import messages
from ..harness.statistics import OVERALL
from .published import published_table
from .records import Board

_REMEDY = "Give the folder of an experiment that `maqa run` finished"
_CHANGED = "Run the same `maqa run` again, which makes both anew; --anyway goes on and says so"
_OTHER_ENCODER = "not-comparable-with-the-paper"


class Margined(BaseModel):
    """Of a difference against its margin, whether it is no worse."""

    no_worse: bool | None = None
    shown: str = ""


class Change(BaseModel):
    """One difference, second minus first, in percentage points."""

    metric: str
    stratum: str
    n: int
    mean: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    verdict: str
    margin: Margined | None = None


class Safety(BaseModel):
    """The safety metrics of a pair, judged for being no worse."""

    differences: list[Change] = []
    words: str = ""


class Whether(BaseModel):
    """Whether critical changes by more than non_critical."""

    metric: str
    words: str = ""
    specific: bool = False


class Labelled(BaseModel):
    """Who decided the severities, and how right they are."""

    words: str = ""
    marks: dict[str, str] = {}


class Pair(BaseModel):
    """Two arms over their trainings; ``trained`` says how many each has."""

    first: str
    second: str
    words: dict[str, str]
    trainings: str
    trained: tuple[int, int]
    differences: list[Change]
    interactions: list[Whether] = []
    safety: Safety = Safety()
    labels: Labelled = Labelled()

    @property
    def metric(self) -> str:
        """The metric that bears the claims."""
        return next(iter(self.words))

    def change(self, stratum: str) -> Change | None:
        """The difference of that metric in a stratum."""
        return next(
            (each for each in self.differences if (each.metric, each.stratum) == (self.metric, stratum)), None
        )


class LegRecord(BaseModel):
    """Whom a claim was set against."""

    against: str


class ClaimRecord(BaseModel):
    """The claim that an arm helps, as the gate judged it."""

    arm: str
    holds: bool | None
    words: str
    legs: list[LegRecord]


class Base(BaseModel):
    """The arms of one base."""

    base: str
    pairs: list[Pair] = []
    claims: list[ClaimRecord] = []


class Together(BaseModel):
    """What a pair shows over several bases."""

    first: str
    second: str
    found: dict[str, Any] = {}
    words: str


class Arms(BaseModel):
    """``arms.json``, as far as claims need it."""

    bases: list[Base] = []
    over_models: list[Together] = []


@dataclass(frozen=True)
class Evidence:
    """An experiment: its name, the ids of its bases, its board and its arms; ``changed`` are those that were."""

    name: str
    models: Sequence[str]
    board: Board
    arms: Arms = field(default_factory=Arms)
    changed: Sequence[str] = ()

    @property
    def scope(self) -> list[str]:
        """What it can say nothing about, however it ends; and what it asked."""
        published = {row.model.casefold() for row in published_table()}
        known = [name for name in self.models if name.casefold() in published]
        bases = ", ".join(self.models)
        others = "" if len(known) == len(self.models) else " (none of the published ten)" if not known else ""
        own = _OTHER_ENCODER in self.board.signature
        encoder = (
            "another than the published one, so no percentage here is one of theirs" if own else "the published one"
        )
        cells = [row.cell(self.board.metric, OVERALL) for row in self.board.rows]
        asked = max((cell.n for cell in cells if cell), default=0)
        arms = [f"{row.label} ({len(row.runs)} trainings)" for row in self.board.seeds]
        several = {run for row in self.board.seeds for run in row.runs}
        arms += dict.fromkeys(row.arm for row in self.board.rows if row.arm and row.name not in several)
        changed = [messages("en")("seal.changed", run=self.name, files=", ".join(self.changed))]
        return [
            *(changed if self.changed else []),
            *self.board.changed,
            f"{'base' if len(self.models) == 1 else 'bases'}: {bases}{others}",
            f"arms: {', '.join(arms)}; {asked} questions",
            f"encoder: {encoder} (`{self.board.signature}`)",
            *self.board.labels,
        ]


def read_evidence(folder: Path, anyway: bool = False) -> Evidence:
    """Read an experiment's folder, or of it ``experiment.json``, ``leaderboard/leaderboard.json``, ``arms.json``.

    Raises:
        UserError: one of them is missing or cannot be read; or a board or its arms were changed after they were
            written, and not ``anyway``.
    """
    asked, board, arms = (
        folder / name for name in ("experiment.json", "leaderboard/leaderboard.json", "arms.json")
    )
    for path in (asked, board, arms):
        if not path.is_file():
            raise UserError(f"{folder} has no {path.relative_to(folder)}", _REMEDY)
    experiment = read_json(asked, _REMEDY)
    try:
        name, models = str(experiment["name"]), [str(model["name"]) for model in experiment["models"]]
    except (KeyError, TypeError):
        raise UserError(f"{asked} is no experiment", _REMEDY) from None
    shown, compared = read_json(board, _REMEDY), read_json(arms, _REMEDY)
    if not anyway:
        demand_seal(board, shown, _CHANGED)
        demand_seal(arms, compared, _CHANGED)
    changed = [path.name for path, content in ((board, shown), (arms, compared)) if not fits_seal(content)]
    return Evidence(
        name,
        models,
        validated(Board, shown, str(board), _REMEDY),
        validated(Arms, compared, str(arms), _REMEDY),
        changed,
    )
