"""A board, a run or a dataset from a path."""

from __future__ import annotations

from math import isclose
from pathlib import Path

from ..harness.core.errors import UserError
from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.data.dataset import Dataset, open_dataset
from ..harness.data.folder import is_dataset
from ..harness.runs.manifest import NAME as MANIFEST
from ..harness.runs.run import Run, load_run
from ..harness.statistics import OVERALL, Resampling
from ..leaderboards.board import build_board
from ..leaderboards.records import Board
from .formats import Options, Results

BOARD = "leaderboard.json"
_REMEDY = "Make a board with `maqa leaderboard RUN... --out BOARD`"
_NEITHER = "Name a folder of `maqa leaderboard`, `maqa evaluate` or `maqa prepare`"


def read_source(path: Path, options: Options, metric: str, resampling: Resampling) -> Results | Dataset:
    """What a path holds; a run becomes a board of one row.

    Raises:
        UserError: it is neither, cannot be read, or its numbers can bear no publication.
    """
    file = path / BOARD if path.is_dir() else path
    if path.is_dir() and is_dataset(path):
        return open_dataset(path)
    if file.name == BOARD and file.is_file():
        board = validated(Board, read_json(file, _REMEDY), str(file), _REMEDY)
        _check(board, path)
        return Results(board, options, runs=_runs(board) if options.samples else {})
    if not path.exists() or not ((path / MANIFEST).is_file() or any(_results(path))):
        problem = "is neither a board, a run nor a dataset" if path.exists() else "does not exist"
        raise UserError(f"{path} {problem}", _NEITHER)
    run = load_run(path)
    board = build_board([run], metric, resampling)
    _check(board, path)
    return Results(board, options, single=True, runs={0: run})


def _results(path: Path) -> list[Path]:
    return [path] if path.is_file() and path.name.startswith("results_") else [*path.rglob("results_*.json")]


def _check(board: Board, path: Path) -> None:
    if not board.rows:
        raise UserError(f"{path} has no rows", _REMEDY)
    if all(row.floor for row in board.rows):
        raise UserError(f"{path} has trivial systems alone, no model", "Publish a board or run with a model")
    for row in board.rows:
        cell = row.cell(board.metric, OVERALL)
        if cell is not None and cell.n < 2:
            raise UserError(
                f"{path}: {row.name} has one answer, of which no interval can be said", "Evaluate more questions"
            )


def _runs(board: Board) -> dict[int, Run]:
    found = {}
    for place, row in enumerate(board.rows):
        if row.floor:
            continue
        folder = Path(row.path)
        if not folder.exists():
            raise UserError(f"run {folder} of {row.name} is gone", "Leave --samples out, or bring it back")
        run = load_run(folder, incomplete=True)
        cell = row.cell(board.metric, OVERALL)
        now = float(run.scores.frame[board.metric].mean()) if board.metric in run.scores.metrics else None
        if cell and (now is None or not isclose(cell.mean, now, rel_tol=1e-6, abs_tol=1e-6)):
            raise UserError(f"run {folder} has other scores than the board", "Make the board again")
        found[place] = run
    return found
