"""``maqa report``."""

from __future__ import annotations

from pathlib import Path

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
    run: Path = typer.Argument(help="A run folder, ours or plain lm-eval's."),
    out: Path = to_output("The HTML file to write"),
    against: Path | None = typer.Option(None, help="Another run of the same questions to compare with."),
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
    from ..harness.runs.run import load_run
    from ..harness.runs.seals import changed_words
    from ..judges.reading import read_judged
    from ..ratings.meta_records import read_meta
    from ..reports.page import report_page

    resampling = resampling_of(seed, resamples, "maqa report")
    given = declared_by(analysis, look)
    metric = metric_of(context, metric, given[0] if given else None)
    ours, other = load_run(run, True, anyway), load_run(against, True, anyway) if against else None
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
    )
    write_result(out, page)
    print_changed(Terminal(), changed_words([each for each in (ours, other) if each]))
    if out != STDOUT:
        Terminal().print(str(out), markup=False, soft_wrap=True)
