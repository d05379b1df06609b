"""``maqa verify``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .app import app
from .options import Encoder, EncoderLayer, EncoderWindow
from .output import JsonOutput, write_json_result
from .words import heading, say, term

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..harness.evaluation.verifying import Verified

_SHOWN = 20


@app.command()
def verify(
    places: list[Path] = typer.Argument(
        metavar="RUN|BOARD|EXPERIMENT...",
        help="Run folders; boards, as folder or leaderboard.json; folders of `maqa run`. A board's runs are looked "
        "for where it says, among these, and around it.",
    ),
    bertscore_model: Encoder = None,
    bertscore_layer: EncoderLayer = None,
    bertscore_window: EncoderWindow = None,
    json: JsonOutput = None,
) -> None:
    """Compute all numbers again from saved answers: equal or not.

    Scores by an encoder may differ by 0.0001 points, other scores by a millionth of themselves, counts and rules by
    nothing. Exit status 0: equal; 1: not; 2: it cannot be told.
    """
    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..harness.evaluation.verifying import verify_run
    from ..harness.metrics.bertscore.encoder import encoder_asked
    from ..harness.runs.run import load_run
    from ..leaderboards.verifying import verify_board
    from ..trainers.experiments.verifying import verify_arms
    from .progress import rows_bar

    given = encoder_asked(bertscore_model, bertscore_layer, bertscore_window) if bertscore_model else None
    runs, boards, experiments = _found(places)
    if not (runs or boards):
        raise UserError(f"{places[0]} holds no run and no board", "Give the folder of one")
    found: list[Verified] = []
    with rows_bar("verify", len(runs) + len(boards) + len(experiments)) as advance:
        for path in runs:
            found.append(verify_run(path, given))
            advance(1)
        loaded = [load_run(path, incomplete=True, anyway=True) for path in runs] if boards else []
        for path in boards:
            found.append(verify_board(path, loaded))
            advance(1)
        for path in experiments:
            found += verify_arms(path)
            advance(1)
    if json is not None:
        of = [each.as_json() for each in found]
        write_json_result(json, {"equal": all(each.equal for each in found), "of": of})
    print_verified(Terminal(), found)
    if not all(each.equal for each in found):
        raise typer.Exit(1)
    if untold := [f"{each.name}: {each.untold[0]}" for each in found if each.untold]:
        raise UserError(f"not all can be computed again: {untold[0]}", "Give the folders of all its runs")
    if not any(each.numbers for each in found):
        raise UserError("no number could be computed again", "Give the encoder with --bertscore-model")


def _found(places: list[Path]) -> tuple[list[Path], list[Path], list[Path]]:
    """The runs, boards and experiments that are meant; a board's runs too."""
    from ..harness.core.errors import UserError
    from ..harness.runs.manifest import NAME as MANIFEST
    from ..leaderboards.verifying import NAME, read_board
    from ..trainers.experiments.grid import REQUEST

    runs: list[Path] = []
    boards: list[Path] = []
    experiments: list[Path] = []
    for place in places:
        if not place.exists():
            raise UserError(f"{place} does not exist", "Give a run, a board or an experiment")
        if place.name == NAME or (place / NAME).is_file():
            boards.append(place if place.is_file() else place / NAME)
        elif (place / REQUEST).is_file():
            experiments.append(place)
            boards += sorted(place.rglob(NAME))
            runs += [path.parent for path in sorted(place.rglob(MANIFEST))]
        else:
            runs.append(place)
    for board in boards:
        near = [path.parent for path in board.resolve().parent.parent.rglob(MANIFEST)]
        runs += _runs_of([Path(row.path) for row in read_board(board)[1].rows], runs, near)
    unique = {path.resolve(): path for path in reversed(runs)}
    return list(reversed(unique.values())), boards, experiments


def _runs_of(named: list[Path], given: list[Path], near: list[Path]) -> Iterator[Path]:
    """Where a board's runs are that were not given: where it says, or near it by the end of the path."""
    from ..leaderboards.verifying import tail

    # Of what no two of them share: runs of several seeds are called alike in their last part.
    least = 1 + max((tail(one, other) for one in named for other in named if one != other), default=0)
    for path in named:
        if any(tail(run, path) >= least for run in given):
            continue
        if path.is_dir():
            yield path
        else:
            yield from (run for run in near if tail(run, path) >= least)


def print_verified(console: Console, found: list[Verified]) -> None:
    """One line per run and board; below, what is not equal and what could not be computed."""
    from rich.table import Table
    from rich.text import Text

    from .tables import print_table

    table = Table(heading("verify.what"), heading("verify.numbers"), "")
    for each in found:
        word = Text(heading("verify.equal"), style="green")
        if each.unequal:
            word = Text(heading("verify.not_equal"), style="bold red")
        if each.equal and each.untold:
            word = Text(heading("verify.missing"), style="yellow")
        table.add_row(Text(each.name), f"{each.numbers:,}", word)
    print_table(console, table)
    for each in found:
        if each.unequal:
            print_table(console, _unequal(each))
            if len(each.unequal) > _SHOWN:
                console.print(Text(say("verify.more", n=len(each.unequal) - _SHOWN)))
        for line in (*each.left_out, *each.untold):
            words = say("verify.not_verified", name=each.name, why=line)
            console.print(Text(words, style="yellow"), soft_wrap=True)


def _unequal(each: Verified) -> Table:
    from rich.table import Table
    from rich.text import Text

    names = ("verify.where", "terminal.severity", "verify.stored", "verify.recomputed", "verify.row")
    table = Table(*map(heading, names), title=Text(each.name), title_justify="left")
    for one in each.unequal[:_SHOWN]:
        rows = say("verify.rows", row=one.row, n=one.rows) if one.rows else ""
        table.add_row(
            *map(Text, (one.metric, term(one.severity), _shown(one.stored), _shown(one.recomputed), rows))
        )
    return table


def _shown(value: object) -> str:
    return f"{value:.6f}" if isinstance(value, float) else "" if value is None else str(value)
