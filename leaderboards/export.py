"""A board as ``leaderboard.json``, ``leaderboard.csv`` and ``index.html``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ..harness.aggregates import Aggregate
from ..harness.files import write_json, write_text
from ..harness.metrics.registry import COLUMNS, Group, columns_of, gates_in_words
from ..harness.pages import IntervalRow, axis_of, interval_chart, render
from ..harness.signatures import Better, better
from ..harness.statistics import STRATA, USUAL
from .published import published_table
from .records import Board

_TEMPLATES = Path(__file__).parent


def write_board(folder: Path, board: Board) -> list[Path]:
    """Write the three files, each atomically; returns their paths."""
    write_json(folder / "leaderboard.json", board.model_dump())
    write_text(folder / "leaderboard.csv", board_csv(board))
    write_text(folder / "index.html", board_page(board))
    return [folder / "leaderboard.json", folder / "leaderboard.csv", folder / "index.html"]


def board_csv(board: Board) -> str:
    """One line per run; for every metric and stratum the mean, and for the board's metric the interval and n."""
    metrics = list(dict.fromkeys(metric for row in board.rows for metric in row.metrics))
    header = ["rank", "name", "arm", "seed", "backend"]
    for stratum in STRATA:
        header += [f"{board.metric}_{stratum}", f"low_{stratum}", f"high_{stratum}", f"n_{stratum}"]
    others = [(metric, stratum) for metric in metrics if metric != board.metric for stratum in STRATA]
    header += [f"{metric}_{stratum}" for metric, stratum in others] + ["differs", "notes", "path"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in board.rows:
        line: list[object] = [row.rank, row.name, row.arm, row.seed, row.backend]
        for stratum in STRATA:
            cell = row.cell(board.metric, stratum)
            line += [cell.mean, cell.low, cell.high, cell.n] if cell else [None, None, None, 0]
        line += [cell.mean if (cell := row.cell(metric, stratum)) else None for metric, stratum in others]
        writer.writerow(
            [_inert(value) for value in [*line, "; ".join(row.differs), "; ".join(row.notes), row.path]]
        )
    return text.getvalue()


def board_page(board: Board) -> str:
    """The board as one HTML page."""
    rows = {stratum: _chart_rows(board, stratum) for stratum in STRATA}
    axis = axis_of([row for each in rows.values() for row in each])
    charts = [
        (stratum, interval_chart(f"{board.metric}, {stratum}", each, axis=axis))
        for stratum, each in rows.items()
        if each
    ]
    metrics = list(dict.fromkeys(metric for row in board.rows for metric in row.metrics))
    safety = columns_of(Group.SAFETY)
    beside = columns_of(Group.SAFETY, Group.PART, Group.STYLE)
    return render(
        _TEMPLATES,
        "board.html",
        board=board,
        less_is_better=better(board.signature) is Better.LOWER,
        strata=STRATA,
        charts=charts,
        metrics=[metric for metric in metrics if metric != board.metric and metric not in beside],
        safety=[metric for metric in safety if metric in metrics],
        more_is_better=[metric for metric in safety if COLUMNS[metric].better is Better.HIGHER],
        style=[metric for metric in columns_of(Group.STYLE) if metric in metrics],
        gates=gates_in_words(),
        aggregates=[name for name in Aggregate if any(name in row.aggregates for row in board.rows)],
        usual=USUAL,
        published=published_table(),
    )


def _chart_rows(board: Board, stratum: str) -> list[IntervalRow]:
    return [
        IntervalRow(row.name, cell.mean, cell.low, cell.high, "muted" if row.rank is None else stratum)
        for row in board.rows
        if (cell := row.cell(board.metric, stratum))
    ]


def _inert(value: object) -> object:
    # A name that starts like a formula would be run by a spreadsheet.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
