"""``maqa report``."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from .app import app
from .metric_names import NamesMetrics
from .options import Anyway, Resamples, Seed, resampling_of


@app.command(cls=NamesMetrics)
def report(
    run: Path = typer.Argument(help="A run folder, ours or plain lm-eval's."),
    out: Path = typer.Option(help="The HTML file to write."),
    against: Path | None = typer.Option(None, help="Another run of the same questions to compare with."),
    metric: str = typer.Option("bertscore_f1", help="The metric to analyse."),
    anyway: Anyway = False,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Write a per-severity error analysis as one HTML page."""
    from ..harness.core.files import write_text
    from ..harness.runs.run import load_run
    from ..reports.page import report_page

    resampling = resampling_of(seed, resamples, "maqa report")
    other = load_run(against, incomplete=True) if against else None
    page = report_page(load_run(run, incomplete=True), other, metric, resampling, anyway=anyway)
    write_text(out, page)
    Console(highlight=False).print(str(out), markup=False, soft_wrap=True)
