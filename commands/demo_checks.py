"""What the demo has to show: each check is one line, and holds or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ..harness.runs.arms import ArmsCompared, ArmsOfBase
    from ..leaderboards.records import Board


@dataclass(frozen=True)
class Check:
    """Whether something that the demo must show was seen, and what was seen."""

    holds: bool
    words: str

    def __str__(self) -> str:
        return f"{'ok' if self.holds else 'FAILED'}: {self.words}"


def planted_check(arms: ArmsCompared) -> Check:
    """Whether the effect is found where it was planted, by the claim over all trainings."""
    (claim,) = _only(arms).claims
    return Check(claim.holds is True, f"planted world: {claim}")


def null_check(arms: ArmsCompared) -> Check:
    """Whether nothing is found where severities are noise: no claim, no gain, and no difference from a control.

    Against plain training a loss may be true, and is said: weights that vary for no reason cost rows. The controls
    carry weights of the same spread, so from them nothing may differ, either way.
    """
    from ..harness.statistics import Verdict
    from ..harness.statistics.verdicts import p_in_words, points

    base = _only(arms)
    (claim,) = base.claims
    controls = claim.controls
    found = [
        f"a {leg.change.verdict} against {leg.against}"
        for leg in claim.legs
        if leg.change.verdict is Verdict.GAIN or (leg.change.verdict is Verdict.LOSS and leg in controls)
    ]
    holds = claim.holds is False and bool(controls) and not found
    what = "nothing" if holds else " and ".join(found) or "a claim"
    if claim.holds is None or not controls:
        what = "too few trainings to tell what is"
    minus = ", ".join(
        f"minus {leg.against} {points(leg.change.mean, '+')} (p {p_in_words(leg.change)})" for leg in claim.legs
    )
    return Check(holds, f"null world: {what} found in {claim.metric}, {claim.stratum}: {claim.arm} {minus}")


def floors_check(board: Board) -> Check:
    """Whether every trivial system stands below every trained one."""
    from ..harness.statistics import OVERALL

    means = {row.name: cell.mean for row in board.rows if (cell := row.cell(board.metric, OVERALL))}
    floors = [row.name for row in board.rows if row.floor]
    trained = [row.name for row in board.rows if row.seed is not None]
    highest, lowest = max(floors, key=means.__getitem__), min(trained, key=means.__getitem__)
    holds = means[highest] < means[lowest]
    where = "below" if holds else "not below"
    return Check(
        holds,
        f"planted world: the best trivial system, {highest} ({means[highest]:.1f}), stands {where} the worst "
        f"trained one, {lowest} ({means[lowest]:.1f})",
    )


def encoder_check(encoder: Path, dataset: Path) -> Check:
    """Whether the demo's encoder ranks a right answer above a fluent wrong one, and both above a constant."""
    from ..harness.data.dataset import open_dataset
    from ..harness.metrics.bertscore.check import check_encoder
    from ..harness.metrics.bertscore.metric import BertScore

    data = open_dataset(dataset)
    test = data.split("test")
    found = check_encoder(BertScore(data.language, str(encoder)), list(test["answer"]), list(test["category"]))
    if found is None:
        return Check(False, "too few references to check the encoder on")
    return Check(found.separates, str(found))


def _only(arms: ArmsCompared) -> ArmsOfBase:
    (base,) = arms.bases
    return base
