"""``maqa report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..harness.core.console import Terminal
from .analysis_options import declared_by, metric_of
from .app import app
from .changed import print_changed
from .metric_names import NamesMetrics
from .options import (
    AnalysisFile,
    Anyway,
    FiguresFolder,
    GoldFile,
    JudgeFolder,
    Look,
    People,
    Resamples,
    Seed,
    resampling_of,
)
from .output import to_output, write_result
from .writing import STDOUT


@app.command(cls=NamesMetrics)
def report(
    context: typer.Context,
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="A run folder, ours or plain lm-eval's; or two or three of the same questions, of which the "
            "third is shown in the browser of answers alone.",
        ),
    ],
    out: Path = to_output("The HTML file to write"),
    against: Path | None = typer.Option(
        None, help="The run of the same questions to compare with, which is then the reference."
    ),
    reference: str | None = typer.Option(
        None,
        help="Of several runs the name of the one that the others are held against; by default the declared one, "
        "else the base, else ce. Order plays no part.",
    ),
    metric: str = typer.Option("bertscore_f1", help="The metric to analyse."),
    figures: FiguresFolder = None,
    analysis: AnalysisFile = None,
    look: Look = None,
    anyway: Anyway = False,
    gold: GoldFile = None,
    people: People = None,
    judge: JudgeFolder = None,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Write a per-severity error analysis as one HTML page."""
    from ..harness.core.errors import UserError
    from ..harness.runs.declaring import compare_declared
    from ..harness.runs.reference import reference_of
    from ..harness.runs.run import load_run
    from ..harness.runs.seals import changed_words
    from ..judges.reading import read_judged
    from ..ratings.meta_records import read_meta
    from ..reports.page import report_page

    resampling = resampling_of(seed, resamples, "maqa report")
    given = declared_by(analysis, look)
    metric = metric_of(context, metric, given[0] if given else None)
    given_runs = [*runs, *([against] if against else [])]
    if len(given_runs) > 3:
        raise UserError(
            f"a report takes one to three runs, and {len(given_runs)} were given",
            "Leave some out, or rank them all with `maqa leaderboard`",
        )
    if reference is not None and (against or len(runs) == 1):
        raise UserError("--reference chooses among several runs", "Give two or three RUN, and no --against")
    loaded = [load_run(path, True, anyway) for path in given_runs]
    other, chosen = (loaded[-1], "against") if against else (None, "")
    if len(loaded) > 1 and other is None:
        other, chosen = reference_of(loaded, reference, given[0] if given else None)
    ours, *rest = [each for each in loaded if each is not other]
    third = rest[0] if rest else None
    judged = None
    if given:
        if other is None:
            raise UserError("a report of one run tests nothing of the analysis", "Give --against RUN too")
        metrics = list(dict.fromkeys((*given[0].metrics, metric)))
        judged = compare_declared(other, ours, metrics, *given, resampling, anyway, gold)
    measured = read_meta(people) if people else None
    said = read_judged(judge, [each for each in (ours, other) if each]) if judge else None
    page = report_page(
        *(ours, other, metric, resampling),
        anyway=anyway,
        judged=judged,
        gold=gold,
        people=measured,
        judge=said,
        figures=figures,
        third=third,
        chosen=chosen,
    )
    write_result(out, page)
    print_changed(Terminal(), changed_words(loaded))
    if out != STDOUT:
        Terminal().print(str(out), markup=False, soft_wrap=True)
