"""``maqa nll``: the likelihood of a dataset's reference answers under a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import app


@app.command()
def nll(
    checkpoint: Annotated[Path, typer.Argument(help="A folder of `maqa train lm`, or of any causal model.")],
    dataset: Annotated[Path, typer.Argument(help="The dataset folder; its validation and test rows are measured.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write the likelihoods; CHECKPOINT/nll.parquet by default.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting of `maqa train lm`, such as batch_size=16, max_length=512 or precision=bf16; by "
            "default those that the checkpoint was trained with.",
        ),
    ] = None,
) -> None:
    """Measure how likely a model finds the references.

    Training does so by itself; this is for checkpoints of before, of others, and for other data. Evaluate the
    checkpoint afterwards, or again, and boards, comparisons and reports show it.
    """
    from ..harness.core.console import Terminal
    from ..harness.core.files import ensure_writable
    from ..harness.data.dataset import open_dataset
    from ..harness.runs.nll import NAME, write_nll
    from ..trainers.lm.checkpoint import checkpoint_model, checkpoint_tokenizer
    from ..trainers.lm.nll import described, measured, trained_words
    from ..trainers.lm.train import quiet, settings_of
    from .nll_tables import print_described

    opened = open_dataset(dataset)
    config = settings_of(checkpoint, settings or [])
    path = out or checkpoint / NAME
    ensure_writable(path)
    with quiet():
        tokenizer = checkpoint_tokenizer(checkpoint, config)
        found = measured(checkpoint_model(checkpoint, tokenizer, config), tokenizer, opened, config)
    write_nll(path, found)
    said = described(found, opened, checkpoint)
    console = Terminal()
    print_described(console, said)
    for line in trained_words(said, checkpoint.name):
        console.print(line, markup=False, style="yellow", soft_wrap=True)
    console.print(f"Written to {path}", markup=False, soft_wrap=True)
