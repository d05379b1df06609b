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
from ..harness.languages.sentences import known_again, sentence, together
from ..harness.statistics import OVERALL
from .published import published_table
from .records import Board

_REMEDY = "Give the folder of an experiment that `maqa run` finished"
_CHANGED = "Run the same `maqa run` again, which makes both anew; --anyway goes on and says so"
_SAID = (
    *(
        "board.severities",
        "labels.",
        "standing.",
        "drift",
        "weights.",
        "exposure",
        "encoder.",
        "people.",
        "safety.",
    ),
    *("interaction.", "stratum.", "trainings.", "claim.what", "claim.missing", "claim.screened", "claim.few"),
    *("claim.training", "claim.holds", "claim.not_shown", "claim.beaten", "claim.uncontrolled", "claim.specific"),
    "finding.of",
)
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
        others = "" if known or not self.models else sentence("scope.none_published")
        own = _OTHER_ENCODER in self.board.signature
        encoder = sentence("scope.other_encoder" if own else "scope.published_encoder")
        cells = [row.cell(self.board.metric, OVERALL) for row in self.board.rows]
        asked = max((cell.n for cell in cells if cell), default=0)
        arms: list[str] = [sentence("scope.arm", arm=row.label, n=len(row.runs)) for row in self.board.seeds]
        several = {run for row in self.board.seeds for run in row.runs}
        arms += dict.fromkeys(row.arm for row in self.board.rows if row.arm and row.name not in several)
        changed = [sentence("seal.changed", run=self.name, files=", ".join(self.changed))]
        return [
            *(changed if self.changed else []),
            *(known_again(line, "seal.") for line in self.board.changed),
            sentence(
                "scope.base" if len(self.models) == 1 else "scope.bases",
                bases=", ".join(self.models),
                others=others,
            ),
            sentence("scope.arms", arms=together(arms, "list.comma"), n=asked),
            sentence("scope.encoder", encoder=encoder, signature=self.board.signature),
            *(said_again(line) for line in self.board.labels),
        ]


def said_again(text: str) -> str:
    """What boards and comparisons hold in English, as sentences in every language."""
    return known_again(text, _SAID)


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
