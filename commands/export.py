"""``maqa export``: an adapter merged into its base, to be published."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .app import app


class Numbers(StrEnum):
    """What the merged weights are saved in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="A folder of `maqa train lm` that holds an adapter.")],
    out: Annotated[Path, typer.Option(help="A new folder for the model.")],
    base: Annotated[str | None, typer.Option(help="Where the checkpoint's base is now, if it has moved.")] = None,
    dtype: Annotated[Numbers, typer.Option(help="What the merged weights are saved in.")] = Numbers.FLOAT32,
) -> None:
    """Merge an adapter into its base and write a model to publish.

    The folder holds safetensors, the tokenizer and a card. In float32 it answers as base and adapter do.
    """
    from ..harness.core.console import Terminal
    from ..trainers.lm.export import export as merge
    from ..trainers.lm.train import quiet

    with quiet():
        merge(checkpoint, out, base, bf16=dtype is Numbers.BFLOAT16)
    Terminal(soft_wrap=True).print(f"Model written to {out}; read its README.md first", markup=False)
