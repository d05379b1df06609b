"""The pictures of a board that people look at first, for its page and as files.

``forest``: differences per severity and arm. ``ranks``: the ranks that each run may hold. ``quality_safety``: the
metric against missed emergencies. ``doses``: effect against the strength of the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..harness.languages.sentences import Sentence, run_on, sentence, severity, together
from ..harness.metrics.screening import marked
from ..harness.pages import (
    Axis,
    IntervalChart,
    IntervalRow,
    ScatterChart,
    ScatterPoint,
    interval_chart,
    scatter_chart,
)
from ..harness.pages.sheets import write_figures
from ..harness.scores.signatures import Better, better
from ..harness.severity import Severity
from ..harness.statistics import OVERALL, STRATA
from .records import Board, Cell, Row

_SAFETY = "missed_emergency"
_MOST = 60
"""Rows of a picture of intervals; more are no picture."""


def board_figures(board: Board) -> dict[str, tuple[IntervalChart | ScatterChart, str]]:
    """The charts of a board by their names, each with what its axis shows; what the board has no data for is left
    out."""
    charts: dict[str, tuple[IntervalChart | ScatterChart, str]] = {}
    if rows := forest_rows(board):
        title = sentence("figures.forest", metric=board.metric)
        charts["forest"] = interval_chart(title, rows, zero=True), sentence("figures.points")
    if rows := rank_rows(board):
        chart = interval_chart(sentence("figures.ranks", metric=board.metric), rows, axis=_places(rows), digits=0)
        charts["ranks"] = chart, sentence("figures.places")
    if points := quality_safety(board):
        charts["quality_safety"] = points, ""
    for place, dose in enumerate(dose_charts(board), start=1):
        charts[f"doses_{place}"] = dose, ""
    return charts


def write_board_figures(folder: Path, board: Board) -> list[Path]:
    """Write every picture of a board as PNG and SVG.

    Returns:
        The paths of the files.

    Raises:
        UserError: the folder cannot be written to.
    """
    return write_figures(folder, board_figures(board))


def forest_rows(board: Board) -> list[IntervalRow]:
    """Each arm's differences to the plain arm of its base by severity, over its trainings; without such arms each
    run's difference to the first row, over all answers."""
    rows = [
        IntervalRow(
            sentence("figures.row", one=row.label, other=row.against, stratum=_short(stratum)),
            cell.mean,
            cell.low,
            cell.high,
            stratum,
        )
        for row in board.seeds
        for stratum in STRATA
        if (cell := row.differences.get(stratum))
    ] or [
        IntervalRow(f"{row.name} − {row.tested.against}", row.tested.mean, row.tested.low, row.tested.high, OVERALL)
        for row in board.rows
        if row.tested
    ]
    return rows[:_MOST]


def _short(stratum: str) -> Sentence:
    """A severity in a picture, where there is no place for more than a word."""
    return sentence(f"term.{stratum}")


def rank_rows(board: Board) -> list[IntervalRow]:
    """Each run's rank with those that it may hold; none where fewer than two runs have one."""
    rows = [
        IntervalRow(row.name, row.rank, ranks.low, ranks.high, "muted" if row.floor else OVERALL)
        for row in board.rows
        if row.rank is not None and (ranks := row.ranks)
    ]
    return rows[:_MOST] if len(rows) > 1 else []


def quality_safety(board: Board) -> ScatterChart | None:
    """The metric over all answers against missed emergencies of critical ones; None for fewer than two such runs.

    The line joins the runs that no other beats in both; where the detector is for screening only there is none.
    """
    found = [
        (row, quality, missed)
        for row in board.rows
        if row.rank is not None
        and (quality := row.cell(board.metric, OVERALL))
        and (missed := row.cell(_SAFETY, Severity.CRITICAL))
    ]
    if len(found) < 2:
        return None
    sign = -1 if better(board.signature) is Better.LOWER else 1
    screened = _SAFETY in board.screening
    front = [] if screened else pareto([(sign * each.mean, other.mean) for _, each, other in found])
    return scatter_chart(
        run_on(sentence("figures.safety", metric=board.metric), marked(_SAFETY, board.screening)),
        sentence("figures.missed", metric=_SAFETY),
        f"{board.metric}, %",
        [_point(*each) for each in found],
        [(missed, sign * quality) for quality, missed in front],
    )


def pareto(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of points (more is better, less is better) those that no other beats in one and equals in the other, by the
    second."""
    kept: list[tuple[float, float]] = []
    for quality, missed in sorted(set(points), key=lambda each: (each[1], -each[0])):
        if not kept or quality > kept[-1][0]:
            kept.append((quality, missed))
    return kept


def dose_charts(board: Board) -> list[ScatterChart]:
    """For every base and stratum with a slope the arms' effects against the strength of their weights."""
    charts = []
    for dose in board.doses:
        points = [
            ScatterPoint(arm, strength, effect, kind=dose.stratum) for arm, (strength, effect) in dose.doses.items()
        ]
        middle = [sum(each) / len(points) for each in zip(*((each.x, each.y) for each in points), strict=True)]
        ends = (min(each.x for each in points), max(each.x for each in points))
        where = together(filter(None, (dose.base, severity(dose.stratum))), "list.comma")
        charts.append(
            scatter_chart(
                sentence("figures.doses", where=where),
                sentence("figures.cv"),
                sentence("figures.above", metric=board.metric),
                points,
                [(x, middle[1] + dose.slope * (x - middle[0])) for x in ends],
            )
        )
    return charts


def _places(rows: Sequence[IntervalRow]) -> Axis:
    last = int(max(row.high or row.mean for row in rows))
    return Axis(0.5, last + 0.5, tuple(range(1, last + 1, -(-last // 10))))


def _point(row: Row, quality: Cell, missed: Cell) -> ScatterPoint:
    return ScatterPoint(
        row.name,
        missed.mean,
        quality.mean,
        across=_ends(missed),
        up=_ends(quality),
        kind="muted" if row.floor else OVERALL,
    )


def _ends(cell: Cell) -> tuple[float, float] | None:
    return None if cell.low is None or cell.high is None else (cell.low, cell.high)
