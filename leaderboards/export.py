"""A board as ``leaderboard.json``, ``leaderboard.csv`` and ``index.html``."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from ..harness.core.files import write_json, write_text
from ..harness.core.readable import visible
from ..harness.core.sealing import with_seal
from ..harness.metrics.aggregates import QUALITY, Aggregate
from ..harness.metrics.registry import COLUMNS, Group, columns_of, gates_in_words
from ..harness.metrics.screening import in_lines, marked, named, safe_score_words
from ..harness.pages import IntervalRow, axis_of, interval_chart, render
from ..harness.pages.names import short_names
from ..harness.runs.provenance import side_by_side
from ..harness.scores.signatures import Better, better
from ..harness.statistics import STRATA, USUAL
from .columns import Column, Kind, Place, board_columns
from .figures import board_figures
from .judged import judge_table
from .published import published_table
from .records import Board, Row
from .tradeoff import tradeoff

_TEMPLATES = Path(__file__).parent
_UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf")
"""Categories of signs that show nothing."""
_MANY = 12
"""Rows from which on all but the first table is folded."""
_ENDS = ("low", "high", "n")


def write_board(folder: Path, board: Board, columns: Sequence[str] | None = None) -> list[Path]:
    """Write the board's files, each atomically: ``leaderboard.json``, ``leaderboard.csv``, ``seeds.csv`` where an
    arm was trained under several seeds, and last ``index.html``.

    Args:
        folder: where to.
        board: what is written.
        columns: the columns of CSV and page, instead of the usual ones.

    Returns:
        The paths of the files.

    Raises:
        UserError: a column does not exist, or a file cannot be written.
    """
    texts = {"leaderboard.csv": board_csv(board, columns)}
    if board.seeds:
        texts["seeds.csv"] = seeds_csv(board)
    texts["index.html"] = board_page(board, columns)
    write_json(folder / "leaderboard.json", with_seal(board.model_dump()))
    for name, text in texts.items():
        write_text(folder / name, text)
    if not board.seeds:
        (folder / "seeds.csv").unlink(missing_ok=True)
    return [folder / name for name in ("leaderboard.json", *texts)]


def board_csv(board: Board, columns: Sequence[str] | None = None) -> str:
    """One line per run; an interval takes four columns."""
    shown = board_columns(board, Place.CSV, columns)
    header: list[str] = []
    for name, column in shown.items():
        header += [name, *(f"{end}_{column.heading}" for end in _ENDS)] if column.kind is Kind.INTERVAL else [name]
    lines = [[part for column in shown.values() for part in _parts(column, row)] for row in board.rows]
    return csv_text([header, *lines])


def seeds_csv(board: Board) -> str:
    """One line per arm that was trained under several seeds, with its difference to the arm ``against``."""
    cells = ("mean", "deviation", "low", "high")
    changes = ("mean", "low", "high", "p", "p_holm", "verdict")
    header = ["arm", "seeds", "runs", "against", "trainings", "base"]
    header += [f"{part}_{stratum}" for stratum in STRATA for part in cells]
    header += [f"difference_{part}_{stratum}" for stratum in STRATA for part in changes]
    lines = [
        [
            *(row.arm, len(row.runs), "; ".join(row.runs), row.against, row.trainings, row.base),
            *(getattr(row.cells.get(stratum), part, None) for stratum in STRATA for part in cells),
            *(getattr(row.differences.get(stratum), part, None) for stratum in STRATA for part in changes),
        ]
        for row in board.seeds
    ]
    return csv_text([header, *lines])


def _parts(column: Column, row: Row) -> list[object]:
    value = column.value(row)
    if column.kind is not Kind.INTERVAL:
        return [" ".join(value.split("\n")) if isinstance(value, str) else value]
    return [value.mean, *(getattr(value, end) for end in _ENDS)] if value else [None, None, None, 0]


def csv_text(lines: Iterable[Iterable[object]]) -> str:
    """Lines as CSV; what a spreadsheet would take for a formula begins with ``'``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_inert(value) for value in line] for line in lines)
    return text.getvalue()


def board_page(board: Board, columns: Sequence[str] | None = None) -> str:
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
    made, common = side_by_side([(row.name, row.facts) for row in board.rows])
    short = short_names([row.name for row in board.rows])
    beside = columns_of(Group.SAFETY, Group.PART, Group.STYLE)
    return render(
        _TEMPLATES,
        "board.html",
        board=board,
        columns=board_columns(board, Place.PAGE, columns),
        less_is_better=better(board.signature) is Better.LOWER,
        strata=STRATA,
        charts=charts,
        metrics=[metric for metric in metrics if metric != board.metric and metric not in beside],
        safety=[metric for metric in safety if metric in metrics],
        more_is_better=[metric for metric in safety if COLUMNS[metric].better is Better.HIGHER],
        style=[metric for metric in columns_of(Group.STYLE) if metric in metrics],
        gates=gates_in_words(),
        judged=judge_table(board),
        tradeoff=tradeoff(board),
        figures={name: chart for name, (chart, _) in board_figures(board).items()},
        named=partial(named, known=board.screening),
        marked=partial(marked, known=board.screening),
        in_lines=in_lines(board.screening, list(board.screening)),
        safe_score_words=safe_score_words(board.screening),
        aggregates=[name for name in Aggregate if any(name in row.aggregates for row in board.rows)],
        usual=USUAL,
        published=published_table(),
        comparable=board.metric == QUALITY and "not-comparable" not in board.signature,
        short=short,
        long=len(board.rows) > _MANY,
        made=made,
        common=common,
    )


def _chart_rows(board: Board, stratum: str) -> list[IntervalRow]:
    short = short_names([row.name for row in board.rows])
    return [
        IntervalRow(short[row.name], cell.mean, cell.low, cell.high, "muted" if row.rank is None else stratum)
        for row in board.rows
        if (cell := row.cell(board.metric, stratum))
    ]


def _inert(value: object) -> object:
    # What starts like a formula would be run by a spreadsheet, which reads over spaces, marks and wide forms.
    if not isinstance(value, str):
        return value
    seen = unicodedata.normalize("NFKC", value)
    first = next((sign for sign in seen if unicodedata.category(sign) not in _UNSEEN), "")
    return f"'{visible(value)}" if first in tuple("=+-@") else visible(value)
