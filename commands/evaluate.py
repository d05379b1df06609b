"""``maqa evaluate``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..harness.core.console import Terminal
from ..harness.core.errors import UserError
from ..harness.generation.backends import BACKENDS
from ..harness.scores.references import References
from .app import app
from .options import (
    RESAMPLES,
    encoder_option,
    layer_option,
    model_arguments,
    references_option,
    resampling_of,
    window_option,
)
from .panels import InPanels
from .words import say

_MODEL, _PROMPT, _ANSWERS, _SCORES, _RUN = "Model", "Questions and prompt", "Answers", "Scores", "Run"


class Engine(StrEnum):
    """Where engines run."""

    LOCAL = "local"
    RAY = "ray"


@app.command(cls=InPanels)
def evaluate(
    model: str = typer.Option(help=f"One of: {', '.join(BACKENDS)}.", rich_help_panel=_MODEL),
    model_args: str = typer.Option(
        "", help="As in lm_eval: pretrained=PATH_OR_ID,dtype=float32,... or JSON.", rich_help_panel=_MODEL
    ),
    batch_size: str = typer.Option("auto", help="Prompts per batch, or auto.", rich_help_panel=_MODEL),
    device: str | None = typer.Option(None, help="cpu, cuda, cuda:1, ...", rich_help_panel=_MODEL),
    engine: Engine = typer.Option(
        Engine.LOCAL, help="ray: one engine per GPU of the cluster.", rich_help_panel=_MODEL
    ),
    workers: int | None = typer.Option(
        None, min=1, help="Engines under ray; one per GPU or CPU by default.", rich_help_panel=_MODEL
    ),
    data: Path | None = typer.Option(
        None, envvar="MAQA_DATA", help="Dataset folder; the shipped sample by default.", rich_help_panel=_PROMPT
    ),
    language: str | None = typer.Option(
        None,
        help="Which shipped sample, such as en, else MAQA_LANGUAGE; a dataset says its own language.",
        rich_help_panel=_PROMPT,
    ),
    chat_template: bool = typer.Option(
        False, "--chat-template", help="Put the prompt into the model's template.", rich_help_panel=_PROMPT
    ),
    num_fewshot: int = typer.Option(
        0, min=0, help="Training rows with answers in front of each question.", rich_help_panel=_PROMPT
    ),
    fewshot_as_multiturn: bool = typer.Option(
        True,
        help="In a chat template, each of them as a turn of its own, or all in one message.",
        rich_help_panel=_PROMPT,
    ),
    fewshot_seed: int = typer.Option(1234, help="Of which rows these are.", rich_help_panel=_PROMPT),
    system_instruction: str | None = typer.Option(
        None, help="What the prompt begins with.", rich_help_panel=_PROMPT
    ),
    limit: int | None = typer.Option(None, min=1, help="Rows per severity, for a trial.", rich_help_panel=_PROMPT),
    decoding: str = typer.Option("greedy", help="greedy, paper or paper-curriculum.", rich_help_panel=_ANSWERS),
    max_new_tokens: int | None = typer.Option(
        None, min=1, help="Instead of the preset's.", rich_help_panel=_ANSWERS
    ),
    until: list[str] | None = typer.Option(
        None,
        help="Stop string instead of the prompt's own; may be repeated. `\\n` is a line break; `none` for none.",
        rich_help_panel=_ANSWERS,
    ),
    seed: int | None = typer.Option(None, help="Of sampling; recorded.", rich_help_panel=_ANSWERS),
    samples: int = typer.Option(
        1, min=1, help="Answers per question; more than one needs a sampling preset.", rich_help_panel=_ANSWERS
    ),
    retry_refused: bool = typer.Option(
        False, "--retry-refused", help="Ask an endpoint again what it refused to answer.", rich_help_panel=_ANSWERS
    ),
    repeat_share: float | None = typer.Option(
        None,
        help="Ask this share of the questions again, such as 0.1, in other batches or by another seed, to see how "
        "large a difference the engine makes by itself.",
        rich_help_panel=_ANSWERS,
    ),
    bertscore_model: Annotated[str | None, encoder_option(_SCORES)] = None,
    bertscore_layer: Annotated[int | None, layer_option(_SCORES)] = None,
    bertscore_window: Annotated[bool | None, window_option(_SCORES)] = None,
    references: Annotated[References | None, references_option(_SCORES)] = None,
    resamples: Annotated[int | None, typer.Option(help=RESAMPLES, rich_help_panel=_SCORES)] = None,
    resampling_seed: int | None = typer.Option(
        None, help="Of the resamples and the random signs; 0 by default.", rich_help_panel=_SCORES
    ),
    out: Path = typer.Option(help="Run folder; the same command goes on where it stopped.", rich_help_panel=_RUN),
    name: str | None = typer.Option(None, help="The run's name on boards.", rich_help_panel=_RUN),
    store: Path | None = typer.Option(
        None, help="Where answers are kept; OUT/answers by default.", rich_help_panel=_RUN
    ),
    merge: list[Path] = typer.Option(
        [], help="Other stores whose answers to take over first; may be repeated.", rich_help_panel=_RUN
    ),
    shard: str | None = typer.Option(
        None,
        help="i/n: only generate the rows of shard i of n, counted from 0; scoring comes without it.",
        rich_help_panel=_RUN,
    ),
) -> None:
    """Generate and score one run through the lm-eval tasks."""
    from ..harness.evaluation.evaluate import evaluate as run_evaluation
    from ..harness.evaluation.evaluate import evaluate_shard
    from ..harness.evaluation.options import EvaluationOptions
    from ..harness.generation.backends import BACKENDS
    from ..harness.generation.config import GenerationConfig, Kind
    from ..harness.generation.decoding import Preset
    from ..harness.generation.decoding import decoding as preset
    from ..harness.generation.examples import Prompting, prompt_stop
    from ..harness.generation.store.shards import parse_shard
    from ..harness.generation.store.store import merge as merge_stores
    from ..harness.languages import Style
    from ..tasks import FOLDER, GROUP
    from ..tasks.documents import language_of
    from .checks import checked
    from .generation_tables import print_generation
    from .noise_tables import print_noise
    from .tables import print_summaries

    resampling = resampling_of(resampling_seed, resamples, "maqa evaluate")
    tongue = language_of(data, language)
    sizes: dict[str, Any] = {"batch_size": batch_size}
    style = Style.CHAT if chat_template or BACKENDS[model].turns else Style.PLAIN
    stop: Iterable[str] = stop_strings(until) if until else prompt_stop(tongue, style, num_fewshot)
    changes: dict[str, Any] = {"max_new_tokens": max_new_tokens, "seed": seed}
    with checked("maqa evaluate --help"):
        given = {key: value for key, value in changes.items() if value is not None}
        config = GenerationConfig(
            kind=Kind(model),
            model_args=model_arguments(model_args),
            decoding=preset(Preset(decoding), tongue, style, stop, **given),
            chat_template=chat_template,
            answer=tongue.referral,
            data=data,
            device=device,
            samples=samples,
            store=store or out / "answers",
            shard=parse_shard(shard) if shard else None,
            ray=engine is Engine.RAY,
            workers=workers,
            retry_refused=retry_refused,
            repeat_share=repeat_share,
            **sizes,
        )
        options = EvaluationOptions(
            out=out,
            data=data,
            language=None if data else tongue.code,
            bertscore_model=bertscore_model,
            bertscore_layer=bertscore_layer,
            bertscore_window=bertscore_window,
            references=references,
            limit=limit,
            prompting=Prompting(
                num_fewshot=num_fewshot,
                fewshot_seed=fewshot_seed,
                fewshot_as_multiturn=fewshot_as_multiturn,
                system_instruction=system_instruction,
            ),
            name=name,
            command=shlex.join(["maqa", *sys.argv[1:]]),
        )
    console = Terminal()
    if merge:
        merge_stores(merge, config.store)
    if config.shard:
        count = evaluate_shard(config, options, FOLDER, GROUP)
        said = say("evaluate.shard", n=count, shard=shard, store=config.store)
        console.print(said, markup=False, soft_wrap=True)
        return
    run = run_evaluation(config, options, FOLDER, GROUP)
    print_summaries(console, run, resampling)
    print_generation(console, run)
    print_noise(console, run)
    console.print(str(out), markup=False, soft_wrap=True)


def stop_strings(given: list[str]) -> list[str]:
    """The stop strings of the command line, where a shell leaves a line break as it was typed."""
    if given == ["none"]:
        return []
    if "none" in given:
        raise UserError("--until none stands beside other stop strings", "Give it alone, or leave it out")
    return [text.replace(r"\n", "\n").replace(r"\t", "\t") for text in given]
