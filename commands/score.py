"""``maqa score``: scores for answers in a file, without lm-eval and without a language model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..harness.data.sources import known
from .app import app
from .metric_names import NamesMetrics
from .options import Encoder, EncoderLayer, EncoderWindow, LanguageCode, OverReferences
from .source_options import Reading, with_reader_options
from .words import heading, ours, say, stratum

if TYPE_CHECKING:
    from rich.table import Table

    from ..harness.scores.table import ScoreTable


@app.command(cls=NamesMetrics)
@with_reader_options
def score(
    file: Annotated[
        Path,
        typer.Argument(
            help=f"{known().capitalize()}, with the columns prediction, reference (or a list, references)"
            "[, severity, question, id]."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Where the score of every answer goes, a parquet file; with --layers a JSON file."),
    ] = None,
    bertscore_model: Encoder = None,
    bertscore_layer: EncoderLayer = None,
    bertscore_window: EncoderWindow = None,
    references: OverReferences = None,
    layers: Annotated[
        bool,
        typer.Option(
            "--layers",
            help="Score nothing: measure which layer of the encoder separates the file's references from wrong "
            "answers best. FILE may also be a dataset folder.",
        ),
    ] = False,
    reading: Reading = None,
    language: LanguageCode = None,
) -> None:
    """Score every answer of a file with every metric.

    Prints the means and how each number came about; needs no language model.
    """
    if layers:
        from .layers_table import measure_layers

        measure_layers(file, out, (bertscore_model, bertscore_layer, bertscore_window), reading, language)
        return
    from dataclasses import replace

    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..harness.core.files import ensure_writable
    from ..harness.data.dataset import language_asked
    from ..harness.metrics.answers_file import read_answers
    from ..harness.metrics.bertscore.check import check_of
    from ..harness.metrics.bertscore.encoder import NO_ENCODER
    from ..harness.metrics.beyond import beyond_encoder
    from ..harness.metrics.registry import left_out
    from ..harness.metrics.scoring import run_metrics, score_table
    from ..harness.metrics.screening import in_lines, screening
    from ..harness.scores.findings import spans_note
    from ..harness.scores.table import write_scores

    if out is None:
        raise UserError("nothing says where the scores go", "Name a .parquet file with --out")
    # Before the scoring, which takes minutes with a large encoder.
    ensure_writable(out)
    if out.suffix != ".parquet":
        raise UserError(f"{out} does not end in .parquet", "The scores are a parquet file: name it so")
    tongue = language_asked(None, language)
    rows = read_answers(file, reading)
    metrics = run_metrics(
        tongue,
        bertscore_model,
        bertscore_layer,
        bertscore_window,
        references,
        questions=rows.answers.questions is not None,
        severities=rows.answers.severities is not None,
    )
    scores = score_table(rows.ids, rows.answers, metrics)
    scores = replace(scores, encoder_check=check_of(metrics, rows.answers.references))
    write_scores(out, scores)
    console = Terminal(soft_wrap=True)
    screened = screening(tongue, scores.signatures)
    console.print(_means(scores, screened))
    for metric, signature in scores.signatures.items():
        console.print(f"{metric}: {signature}", markup=False)
    if bertscore_model == NO_ENCODER:
        console.print(heading("terminal.no_encoder"), markup=False)
    if scores.encoder_check:
        console.print(ours(str(scores.encoder_check)), markup=False)
    if note := beyond_encoder(scores):
        console.print(ours(note), markup=False, style="yellow")
    for line in in_lines(screened, scores.metrics):
        console.print(ours(line), markup=False, style="yellow")
    for lack in left_out(tongue):
        console.print(ours(lack), markup=False, style="yellow")
    console.print(ours(spans_note(scores.findings)), markup=False)
    console.print(say("terminal.scored", n=f"{len(scores.frame):,}", out=out), markup=False)


def _means(scores: ScoreTable, screened: Mapping[str, str]) -> Table:
    """One row per metric: its mean per severity and overall."""
    from rich.table import Table

    from ..harness.metrics.screening import named
    from ..harness.severity import SEVERITIES

    frame = scores.frame
    strata = {str(severity): frame[frame["severity"] == str(severity)] for severity in SEVERITIES}
    shown = {name: rows for name, rows in {**strata, "overall": frame}.items() if len(rows)}
    table = Table(heading("terminal.mean"))
    for name in shown:
        table.add_column(stratum(name), justify="right")
    table.add_row(heading("compare.n"), *(f"{len(rows):,}" for rows in shown.values()), end_section=True)
    for metric in scores.metrics:
        means = [rows[metric].mean() for rows in shown.values()]
        table.add_row(ours(named(metric, screened)), *(f"{mean:.2f}" if mean == mean else "—" for mean in means))
    return table
