"""``maqa leaderboard``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..harness.core.console import Terminal
from ..harness.core.errors import UserError
from .analysis_options import declared_by, metric_of, print_declared
from .app import app
from .changed import print_changed
from .compare_tables import outcome_style
from .metric_names import NamesMetrics
from .options import AnalysisFile, Changed, FiguresFolder, JudgeFolder, Look, People, Resamples, Seed, resampling_of
from .output import JsonOutput, write_json_result
from .tables import interval_text, print_table
from .words import ours, say, term
from .writing import STDOUT

if TYPE_CHECKING:
    from ..leaderboards.columns import Column
    from ..leaderboards.records import Board, Row, SeedCell


@app.command(cls=NamesMetrics)
def leaderboard(
    context: typer.Context,
    runs: list[Path] = typer.Argument(help="Run folders, ours or plain lm-eval's."),
    out: Path | None = typer.Option(
        None, help="Folder for leaderboard.json, leaderboard.csv and index.html; only --json can do without."
    ),
    json: JsonOutput = None,
    metric: str = typer.Option("bertscore_f1", help="The metric that ranks."),
    figures: FiguresFolder = None,
    columns: str | None = typer.Option(
        None, help="Columns of terminal, CSV and page, such as rank,name,critical; the usual ones by default."
    ),
    analysis: AnalysisFile = None,
    look: Look = None,
    people: People = None,
    judge: JudgeFolder = None,
    anyway: Changed = False,
    reference: str | None = typer.Option(
        None, help="Name of the run that all are held against; by default the base, else ce. Order plays no part."
    ),
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Rank runs into one table per severity (JSON, CSV, HTML)."""
    from ..harness.core.sealing import with_seal
    from ..harness.runs.run import load_run
    from ..judges.reading import read_judged
    from ..leaderboards.board import build_board
    from ..leaderboards.declared import board_declared
    from ..leaderboards.export import write_board
    from ..leaderboards.figures import write_board_figures
    from ..ratings.meta_records import read_meta

    if out == STDOUT or (out is None and json is None):
        raise UserError("a board is several files and no folder is named", "Use --out FOLDER, or --json -")
    resampling = resampling_of(seed, resamples, "maqa leaderboard")
    given = declared_by(analysis, look)
    loaded = [load_run(path, incomplete=True, anyway=anyway) for path in runs]
    declared = board_declared(loaded, *given, resampling) if given else None
    metric = metric_of(context, metric, given[0] if given else None)
    judged = read_judged(judge, loaded) if judge else None
    board = build_board(
        loaded, metric, resampling, declared, read_meta(people) if people else None, judged, reference
    )
    chosen = [name.strip() for name in columns.split(",")] if columns is not None else None
    written = write_board(out, board, chosen) if out is not None else []
    if figures is not None:
        written += write_board_figures(figures, board)
    if json is not None:
        write_json_result(json, with_seal(board.model_dump()))
    console = Terminal()
    print_board(console, board, chosen)
    for path in written:
        console.print(str(path), markup=False, soft_wrap=True)


def print_board(console: Console, board: Board, columns: Sequence[str] | None = None) -> None:
    """The board as a terminal table, and what must be known of its rows."""
    from ..harness.languages.messages import reader
    from ..harness.languages.sentences import sentence, together
    from ..harness.scores.signatures import Better, better
    from ..leaderboards.columns import Kind, Place, board_columns
    from ..leaderboards.judged import judge_table
    from .judge_tables import print_shown
    from .nll_tables import print_board_nll

    print_changed(console, board.changed)
    print_declared(console, board.analysis)
    less = "_less" if better(board.signature) is Better.LOWER else ""
    title = say(f"terminal.board{less}", metric=board.metric)
    if board.analysis:
        title = say("terminal.exploratory", words=title)
    table = Table(title=Text(title), title_justify="left")
    shown = board_columns(board, Place.TERMINAL, columns)
    for column in shown.values():
        if column.kind is Kind.TEXT:
            table.add_column(Text(term(column.heading)), overflow="fold", min_width=10)
        else:
            table.add_column(Text(term(column.heading)), justify="right", no_wrap=True)
    for row in board.rows:
        table.add_row(*(_text(column, row) for column in shown.values()))
    print_table(console, table)
    if board.rank_key:
        console.print(Text(say(board.rank_key)), soft_wrap=True)
    for line in (*board.labels, *filter(None, [board.people, board.encoder])):
        console.print(Text(ours(line)), soft_wrap=True)
    if said := judge_table(board):
        print_shown(console, said, board.judge is not None and board.judge.proven)
    for line in board.screening_words:
        console.print(Text(ours(line)), soft_wrap=True)
    for lacking in board.missing:
        console.print(Text(ours(lacking.words), style="yellow"), soft_wrap=True)
    for note in board.notes:
        console.print(Text(ours(note), style="yellow"), soft_wrap=True)
    if questions := ours(board.questions):
        console.print(Text(f"{questions[:1].upper()}{questions[1:]}."), soft_wrap=True)
    for line in board.noise_words:
        console.print(Text(ours(line)), soft_wrap=True)
    for row in board.rows:
        if row.differs:
            line = say("terminal.not_ranked", name=row.name, why=together(row.differs))
            console.print(Text(line, style="yellow"))
        for note in row.notes:
            line = say("terminal.of", name=row.name, words=note)
            console.print(Text(line, style="yellow"), soft_wrap=True)
    for row in board.rows:
        for each in row.less_safe:
            key = "board.less_safe.p" if each.p else "board.less_safe.margin"
            figures = {"before": f"{each.before:.1f}", "after": f"{each.after:.1f}", "p": each.p}
            found = sentence(key, metric=each.metric, severity=each.stratum, reference=board.reference, **figures)
            line = say("terminal.of", name=row.name, words=found)
            console.print(Text(line, style="red"), soft_wrap=True)
    if board.chosen_by:
        console.print(Text(say(f"reference.{board.chosen_by}", name=board.reference)), soft_wrap=True)
    if first := board.constant_first:
        words = say("board.constant_first", name=first.name, metric=board.metric)
        console.print(Text(words, style="yellow"), soft_wrap=True)
    if board.floors_only:
        console.print(Text(say("board.floors_only"), style="yellow"), soft_wrap=True)
    if board.single_answers:
        words = say("board.single_answer", names=", ".join(board.single_answers))
        console.print(Text(words, style="yellow"), soft_wrap=True)
    if same := [row for row in board.rows if row.alike]:
        most = max(same, key=lambda row: row.alike.share_pct if row.alike else 0.0)
        assert most.alike
        counted = {"same": most.alike.same, "n": most.alike.n, "share": f"{most.alike.share_pct:.1f}"}
        line = say("terminal.alike", one=most.name, other=most.alike.run, **counted)
        console.print(Text(line), soft_wrap=True)
    if board.seeds:
        _print_seeds(console, board)
    if board.nll:
        print_board_nll(console, board.nll)
    for claim in board.claims:
        line = say("terminal.of", name=claim.label, words=claim.words)
        if board.analysis:
            line = say("terminal.exploratory_inside", words=line)
        style = "green" if claim.holds and claim.outcome in ("", "shown") else "yellow"
        console.print(Text(line, style=style), soft_wrap=True)
        if claim.conclusion:
            concluded = claim.conclusion.get(reader(), claim.conclusion["en"])
            console.print(Text(concluded, style=outcome_style(claim.outcome)), soft_wrap=True)
    signed = say("terminal.signature", signature=f"{board.signature}|{board.resampling}")
    console.print(signed, markup=False, soft_wrap=True)


def _text(column: Column, row: Row) -> Text:
    from ..leaderboards.columns import Kind

    value = column.value(row)
    if column.kind is Kind.INTERVAL:
        return Text(interval_text(value))
    return Text("—" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value))


def _print_seeds(console: Console, board: Board) -> None:
    """Every arm over its trainings, and its difference to the arm it is set against."""
    from ..harness.statistics import STRATA
    from ..harness.statistics.verdicts import points

    title = say("terminal.over_seeds")
    if board.analysis:
        title = say("terminal.exploratory_inside", words=title)
    table = Table(title=Text(title), title_justify="left")
    table.add_column(say("terminal.arm"), overflow="fold", min_width=10)
    table.add_column(say("terminal.seeds"), justify="right")
    for stratum in STRATA:
        table.add_column(term(stratum), justify="right", no_wrap=True)
    for row in board.seeds:
        table.add_row(
            Text(row.label), str(len(row.runs)), *(_over_seeds(row.cells.get(stratum)) for stratum in STRATA)
        )
        if row.differences:
            changes = [row.differences.get(stratum) for stratum in STRATA]
            table.add_row(
                Text(say("terminal.minus", against=row.against)),
                "",
                *(f"{points(change.mean, '+')}\n{term(change.words)}" if change else "—" for change in changes),
            )
    print_table(console, table)
    for row in board.seeds:
        if row.differences:
            line = say("terminal.label_minus", label=row.label, against=row.against, words=row.trainings)
            console.print(Text(line), soft_wrap=True)


def _over_seeds(cell: SeedCell | None) -> str:
    if cell is None:
        return "—"
    return f"{cell.mean:.2f} ± {cell.deviation:.2f}\n{cell.low:.1f}–{cell.high:.1f}"
