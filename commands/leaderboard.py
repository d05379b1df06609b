"""``maqa leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .app import app
from .metric_names import NamesMetrics
from .options import Resamples, Seed, resampling_of
from .tables import interval_text

if TYPE_CHECKING:
    from ..leaderboards.records import Board


@app.command(cls=NamesMetrics)
def leaderboard(
    runs: list[Path] = typer.Argument(help="Run folders, ours or plain lm-eval's."),
    out: Path = typer.Option(help="Folder for leaderboard.json, leaderboard.csv and index.html."),
    metric: str = typer.Option("bertscore_f1", help="The metric that ranks."),
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Rank runs into one table per severity (JSON, CSV, HTML)."""
    from ..harness.runs import load_run
    from ..leaderboards.board import build_board
    from ..leaderboards.export import write_board

    resampling = resampling_of(seed, resamples, "maqa leaderboard")
    board = build_board([load_run(path) for path in runs], metric, resampling)
    written = write_board(out, board)
    console = Console(highlight=False)
    print_board(console, board)
    for path in written:
        console.print(str(path), markup=False, soft_wrap=True)


def print_board(console: Console, board: Board) -> None:
    """The board as a terminal table."""
    from ..harness.signatures import Better, better
    from ..harness.statistics import STRATA

    direction = ", less is better" if better(board.signature) is Better.LOWER else ""
    table = Table(title=Text(f"{board.metric}, percent, 95 % interval{direction}"), title_justify="left")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("run", overflow="fold", min_width=10)
    for stratum in STRATA:
        table.add_column(stratum, justify="right", no_wrap=True)
    for row in board.rows:
        cells = [row.cell(board.metric, stratum) for stratum in STRATA]
        count = cells[-1].n if cells[-1] else 0
        table.add_row(str(row.rank or "—"), Text(f"{row.name}\nn = {count}"), *map(interval_text, cells))
    console.print(table)
    for note in board.notes:
        console.print(Text(note, style="yellow"), soft_wrap=True)
    for row in board.rows:
        if row.differs:
            console.print(Text(f"{row.name} is not ranked: {'; '.join(row.differs)}", style="yellow"))
        for note in row.notes:
            console.print(Text(f"{row.name}: {note}", style="yellow"), soft_wrap=True)
    console.print(f"signature: {board.signature}|{board.resampling}", markup=False, soft_wrap=True)
