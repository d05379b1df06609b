"""A judge's word on a board's runs, beside how far it agrees with people."""

from __future__ import annotations

from ..harness.statistics import Resampling
from ..judges.reading import JudgedRuns
from ..judges.tables import Shown, run_scores
from .records import Board, BoardJudge, Cell


def board_judge(judged: JudgedRuns | None) -> BoardJudge | None:
    """Who judged, and what that stands on."""
    if judged is None:
        return None
    found = judged.judgement
    return BoardJudge(
        name=found.judge.name,
        rubric=f"{found.rubric.name}, {found.rubric.sha256[:12]}",
        signature=found.signature,
        proven=found.standing.proven,
        heading=judged.heading,
        agreement=dict(judged.agreement),
        measured=bool(found.people or found.gold),
    )


def judge_cells(judged: JudgedRuns | None, name: str, resampling: Resampling) -> dict[str, Cell]:
    """A row's scores by the judge, by stratum; empty where it was not judged."""
    found = judged.summaries(name, resampling) if judged else {}
    return {
        stratum: Cell(n=each.n, mean=each.mean, low=each.low, high=each.high) for stratum, each in found.items()
    }


def judge_table(board: Board) -> Shown | None:
    """For terminal and page; None without a judge."""
    judge = board.judge
    if judge is None:
        return None
    rows = [(row.name, row.judge) for row in board.rows if row.judge]
    return run_scores(judge.heading, rows, judge.agreement, judge.measured)
