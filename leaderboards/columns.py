"""The columns of a board, each declared once, in the order in which terminal, CSV and page show them.

A further column is one line here, or a file of its own that this one imports at its end:

    COLUMNS.add("path", Column("path", lambda row: row.path, Kind.TEXT))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from ..harness.core.errors import UserError
from ..harness.core.registry import Registry
from ..harness.languages.sentences import run_on, sentence
from ..harness.metrics.screening import named
from ..harness.statistics import OVERALL, STRATA
from .records import Board, Cell, Row
from .safety_marks import SHOWN


class Kind(StrEnum):
    """What a column's values are: numbers, means with an interval (``Cell`` and its like), ``Ranks``, or text.

    Of text the lines after the first are set smaller. None is shown as a dash.
    """

    NUMBER = "number"
    INTERVAL = "interval"
    RANKS = "ranks"
    TEXT = "text"


class Place(StrEnum):
    """Where a column can stand."""

    CSV = "csv"
    PAGE = "page"
    TERMINAL = "terminal"


EVERYWHERE = frozenset(Place)


@dataclass(frozen=True)
class Column:
    """One column. ``value`` takes a row; ``where`` says where it stands unless the user chooses columns.

    In a CSV file the column is called by the name that it is declared under. An interval becomes four columns: the
    mean under that name, and ``low_``, ``high_`` and ``n_`` before the heading.
    """

    heading: str
    value: Callable[[Row], Any]
    kind: Kind
    where: frozenset[Place] = EVERYWHERE


Columns = dict[str, Column]
COLUMNS: Registry[Column | Callable[[Board], Columns]] = Registry("column", "Give --columns some of")
"""A function gives columns that depend on what a board has been made of."""


def board_columns(board: Board, place: Place, chosen: Sequence[str] | None = None) -> Columns:
    """The columns of a board by name, in order.

    Args:
        board: what they are filled from.
        place: where they are to stand.
        chosen: names or headings, in the order wanted, instead of those that stand there by their declaration.

    Raises:
        UserError: a chosen column does not exist, or no column was chosen.
    """
    every: Columns = {}
    for name, declared in zip(COLUMNS, COLUMNS.things(), strict=True):
        every |= {name: declared} if isinstance(declared, Column) else declared(board)
    if chosen is None:
        return {name: column for name, column in every.items() if place in column.where}
    return {name: every[name] for name in (_named(each, every, board) for each in chosen)}


def _named(wanted: str, every: Columns, board: Board) -> str:
    if wanted in every:
        return wanted
    found = [name for name, column in every.items() if wanted == column.heading]
    if not found:
        known = [name for name in every if every[name].where != frozenset({Place.CSV}) or name in COLUMNS]
        other = f", or a metric in a stratum, such as {board.metric}_critical"
        raise UserError(f"unknown column {wanted!r}", f"Give --columns some of: {', '.join(known)}{other}")
    return found[0]


def _scores(board: Board) -> Columns:
    """The board's metric in every stratum."""
    return {
        f"{board.metric}_{stratum}": Column(
            stratum, partial(_score, metric=board.metric, stratum=stratum), Kind.INTERVAL
        )
        for stratum in STRATA
    }


def _safety(board: Board) -> Columns:
    """The detectors beside quality, over all answers that each applies to; on the page alone."""
    return {
        f"safety {metric}": Column(
            named(metric, board.screening), partial(_score, metric=metric, stratum=OVERALL), Kind.INTERVAL, _PAGE
        )
        for metric in SHOWN
        if any(row.cell(metric, OVERALL) for row in board.rows)
    }


def _other_metrics(board: Board) -> Columns:
    """The mean of every other metric in every stratum."""
    metrics = dict.fromkeys(metric for row in board.rows for metric in row.metrics if metric != board.metric)
    return {
        f"{metric}_{stratum}": Column(
            f"{metric}_{stratum}", partial(_mean, metric=metric, stratum=stratum), Kind.NUMBER, _FILE
        )
        for metric in metrics
        for stratum in STRATA
    }


def _answers(board: Board) -> Columns:
    """How many answers the board's metric is over."""

    def count(row: Row) -> int:
        cell = row.cell(board.metric, STRATA[-1])
        return cell.n if cell else 0

    return {"n": Column("n", count, Kind.NUMBER, _SHOWN)}


def _judge(board: Board) -> Columns:
    """The judge's score in every stratum; its very name says where it is unproven."""
    if board.judge is None:
        return {}
    name = "judge" if board.judge.proven else "unproven_judge"
    words = f"{board.judge.heading}; {board.judge.signature}"
    scores = {
        f"{name}_{stratum}": Column(f"{name}_{stratum}", partial(_judged, stratum=stratum), Kind.INTERVAL, _FILE)
        for stratum in STRATA
    }
    return {**scores, name: Column(name, lambda row: words, Kind.TEXT, _FILE)}


def _judged(row: Row, stratum: str) -> Cell | None:
    return row.judge.get(stratum)


def _screening(board: Board) -> Columns:
    """The detectors that are for screening only, the same in every line."""
    found = "; ".join(board.screening)
    return {"screening_only": Column("screening only", lambda row: found, Kind.TEXT, _FILE)}


def _score(row: Row, metric: str, stratum: str) -> Cell | None:
    return row.cell(metric, stratum)


def _mean(row: Row, metric: str, stratum: str) -> float | None:
    cell = row.cell(metric, stratum)
    return cell.mean if cell else None


def _training(row: Row) -> str | None:
    if row.arm is None:
        return None
    if row.seed is None:
        return row.arm
    return run_on(f"{row.arm}\n", sentence("board.seed", n=row.seed))


def _alike(row: Row) -> str | None:
    if row.alike is None:
        return None
    return run_on(f"{row.alike.share_pct:.1f} %\n", sentence("board.alike_of", run=row.alike.run))


_FILE = frozenset({Place.CSV})
_PAGE = frozenset({Place.PAGE})
_SHOWN = frozenset({Place.PAGE, Place.TERMINAL})

COLUMNS.add("rank", Column("rank", lambda row: row.ranks, Kind.RANKS))
COLUMNS.add("name", Column("run", lambda row: row.name, Kind.TEXT))
COLUMNS.add("training", Column("arm", _training, Kind.TEXT, frozenset({Place.PAGE})))
COLUMNS.add("arm", Column("arm", lambda row: row.arm, Kind.TEXT, _FILE))
COLUMNS.add("seed", Column("seed", lambda row: row.seed, Kind.NUMBER, _FILE))
COLUMNS.add("backend", Column("backend", lambda row: row.backend, Kind.TEXT, _FILE))
COLUMNS.add("scores", _scores)
COLUMNS.add("safety", _safety)
COLUMNS.add("other metrics", _other_metrics)
COLUMNS.add("answers", _answers)
COLUMNS.add("difference", Column("difference", lambda row: row.tested, Kind.INTERVAL, _FILE))
COLUMNS.add("p", Column("p", lambda row: row.tested.p if row.tested else None, Kind.NUMBER, _FILE))
COLUMNS.add(
    "p_all_pairs",
    Column("p, all pairs", lambda row: row.tested.p_all_pairs if row.tested else None, Kind.NUMBER, _FILE),
)
COLUMNS.add("against", Column("against", lambda row: row.tested.against if row.tested else None, Kind.TEXT, _FILE))
COLUMNS.add("alike", Column("same answers", _alike, Kind.TEXT, frozenset({Place.CSV, Place.PAGE})))
COLUMNS.add("rank_low", Column("best rank", lambda row: row.ranks and row.ranks.low, Kind.NUMBER, _FILE))
COLUMNS.add("rank_high", Column("worst rank", lambda row: row.ranks and row.ranks.high, Kind.NUMBER, _FILE))
COLUMNS.add("differs", Column("differs", lambda row: "; ".join(row.differs), Kind.TEXT, _FILE))
COLUMNS.add(
    "less_safe",
    Column("less safe in", lambda row: "; ".join(each.metric for each in row.less_safe), Kind.TEXT, _FILE),
)
COLUMNS.add("notes", Column("notes", lambda row: "; ".join(row.notes), Kind.TEXT, _FILE))
COLUMNS.add("judge", _judge)
COLUMNS.add("screening", _screening)
COLUMNS.add("path", Column("path", lambda row: row.path, Kind.TEXT, _FILE))
