"""``maqa label``: give every complaint its severity, and say how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console

from .app import app


@app.command()
def label(
    dataset: Annotated[Optional[Path], typer.Argument(help="The dataset folder.")] = None,  # noqa: UP045
    source: Annotated[
        str, typer.Option("--with", help="rules, column, hybrid or the folder of a trained classifier.")
    ] = "rules",
    out: Annotated[
        Optional[Path], typer.Option(help="A new folder for the result; by default the dataset's own.")  # noqa: UP045
    ] = None,
    scheme: Annotated[
        str, typer.Option(help="Weighting scheme of the diagnostics: mild, balanced, strong or three weights.")
    ] = "balanced",
    explain: Annotated[str, typer.Option(help="A complaint: show which entries of the lexicon fire and why.")] = "",
) -> None:
    """Label the severity of every complaint, or look into how a source decides."""
    from ..harness.errors import UserError
    from ..harness.severity import parse_weights

    weights = parse_weights(scheme)
    console = Console()
    if explain:
        _explain(console, explain)
        return
    if dataset is None:
        raise UserError("no dataset is named", "Use `maqa label DATASET`, or --explain with a complaint")
    from ..harness.data.dataset import open_dataset
    from ..harness.labelling.sources import open_source
    from ..harness.labelling.stream import label_dataset
    from .progress import rows_bar

    opened = open_dataset(dataset)
    chosen = open_source(source)
    rows = sum(counts["rows"] for counts in opened.info.counts.values())
    with rows_bar("labelling", rows) as advance:
        labelled, counts = label_dataset(opened, chosen, out or dataset, progress=advance)
    from ..harness.labelling.weights import dataset_weights
    from .label_tables import counts_table, weights_table

    console.print(counts_table(labelled.info, counts))
    console.print(weights_table(dataset_weights(labelled, opened, weights), scheme))


def _explain(console: Console, complaint: str) -> None:
    from ..harness.labelling.rules import RulesSource
    from .label_tables import explanation_table

    console.print(explanation_table(RulesSource().explain(complaint)))
