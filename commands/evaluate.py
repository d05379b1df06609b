"""``maqa evaluate``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import typer
from rich.console import Console

from .app import app


@app.command()
def evaluate(
    model: str = typer.Option(help="hf, vllm, local-completions, echo, constant or nearest."),
    model_args: str = typer.Option("", help="As in lm_eval: pretrained=PATH_OR_ID,dtype=float32,..."),
    data: Path | None = typer.Option(None, help="Dataset folder; the shipped sample by default."),
    out: Path = typer.Option(help="Run folder; the same command goes on where it stopped."),
    decoding: str = typer.Option("greedy", help="greedy, paper or paper-curriculum."),
    max_new_tokens: int | None = typer.Option(None, min=1, help="Instead of the preset's."),
    seed: int | None = typer.Option(None, help="Of sampling; recorded."),
    bertscore_model: str | None = typer.Option(
        None, help="Hub id or folder of the BERTScore encoder, or `none`; the paper's by default."
    ),
    limit: int | None = typer.Option(None, min=1, help="Rows per severity, for a trial."),
    batch_size: str = typer.Option("auto", help="Prompts per batch, or auto."),
    device: str | None = typer.Option(None, help="cpu, cuda, cuda:1, ..."),
    name: str | None = typer.Option(None, help="The run's name on boards."),
) -> None:
    """Generate and score one run through the lm-eval tasks."""
    from lm_eval.utils import simple_parse_args_string

    from ..harness.evaluation import EvaluationOptions
    from ..harness.evaluation import evaluate as run_evaluation
    from ..harness.generation.config import GenerationConfig
    from ..harness.generation.decoding import decoding as preset
    from ..tasks import FOLDER, GROUP
    from .checks import checked
    from .tables import print_summaries

    changes = {"max_new_tokens": max_new_tokens, "seed": seed}
    with checked("maqa evaluate --help"):
        config = GenerationConfig(
            kind=model,
            model_args=simple_parse_args_string(model_args),
            decoding=preset(decoding, **{key: value for key, value in changes.items() if value is not None}),
            data=data,
            device=device,
            batch_size=batch_size,
            store=out / "answers",
        )
    options = EvaluationOptions(
        out=out,
        data=data,
        bertscore_model=bertscore_model,
        limit=limit,
        name=name,
        command=shlex.join(["maqa", *sys.argv[1:]]),
    )
    run = run_evaluation(config, options, FOLDER, GROUP)
    console = Console(highlight=False)
    print_summaries(console, run)
    console.print(str(out), markup=False, soft_wrap=True)
