"""``maqa rescore``."""

from __future__ import annotations

from pathlib import Path

import typer

from ..harness.core.console import Terminal
from .app import app
from .changed import print_changed
from .options import Changed, Encoder, EncoderLayer, EncoderWindow, OverReferences, Resamples, Seed, resampling_of


@app.command()
def rescore(
    runs: list[Path] = typer.Argument(help="Run folders, ours or plain lm-eval's."),
    bertscore_model: Encoder = None,
    bertscore_layer: EncoderLayer = None,
    bertscore_window: EncoderWindow = None,
    references: OverReferences = None,
    anyway: Changed = False,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Score saved answers again, without generating."""
    from ..harness.metrics.scoring import run_metrics
    from ..harness.runs.rescoring import rescore as score_again
    from ..harness.runs.seals import changed_words
    from ..harness.scores.findings import spans_note
    from .tables import print_summaries

    resampling = resampling_of(seed, resamples, "maqa rescore")
    console = Terminal()
    encoder = (bertscore_model, bertscore_layer, bertscore_window)
    for path in runs:
        run = score_again(path, lambda language: run_metrics(language, *encoder, references=references), anyway)
        print_changed(console, changed_words([run]))
        print_summaries(console, run, resampling)
        console.print(spans_note(run.scores.findings), markup=False)
