"""``maqa judge``: a model's word on answers, beside how far it agrees with people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..harness.core.errors import UserError
from ..harness.generation.backends import BACKENDS
from .app import app
from .options import Resamples, Seed, model_arguments, resampling_of
from .panels import InPanels
from .words import ours

if TYPE_CHECKING:
    from ..judges.asking import Judge

_JUDGE, _ASKED, _TRUST, _KEPT = "Judge", "What is asked", "What it stands on", "What is kept"
_CHAT = "chat"
_MODELS = (_CHAT, *(each.name for each in BACKENDS.things() if not each.floor))


@app.command(cls=InPanels)
def judge(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Runs whose answers are judged.")],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the judgement; the same command goes on where it stopped.", rich_help_panel=_KEPT
        ),
    ],
    model: Annotated[str, typer.Option(help=f"One of: {', '.join(_MODELS)}.", rich_help_panel=_JUDGE)] = _CHAT,
    model_args: Annotated[
        str,
        typer.Option(
            help="Of chat: base_url=...,model=...,num_concurrent=8,rate=REQUESTS_A_MINUTE,max_retries=5, "
            "timeout=300, or JSON with payload too; of the others as in `maqa evaluate`. A key stands in "
            "MAQA_API_KEY.",
            rich_help_panel=_JUDGE,
        ),
    ] = "",
    max_new_tokens: Annotated[
        int, typer.Option(min=1, help="Of a reply, thoughts among them.", rich_help_panel=_JUDGE)
    ] = 2048,
    temperature: Annotated[float, typer.Option(min=0, max=100, help="Of sampling.", rich_help_panel=_JUDGE)] = 0.0,
    chat_template: Annotated[
        bool,
        typer.Option(
            "--chat-template", help="Put a local model's prompt into its template.", rich_help_panel=_JUDGE
        ),
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="Of a local model: cpu, cuda, ...", rich_help_panel=_JUDGE)
    ] = None,
    rubric: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|CODE", help="Criteria: a file, or ar, en; the answers' language.", rich_help_panel=_ASKED
        ),
    ] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Compare two runs, in both orders, instead.", rich_help_panel=_ASKED)
    ] = False,
    repeats: Annotated[
        int, typer.Option(min=1, help="How often each is asked, to see how far it varies.", rich_help_panel=_ASKED)
    ] = 1,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Rows per severity and run, for a trial.", rich_help_panel=_ASKED)
    ] = None,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="Ask again what a server refused.", rich_help_panel=_ASKED)
    ] = False,
    ratings: Annotated[
        Path | None,
        typer.Option(
            help="People's word on these runs, the file of `maqa ratings import`.", rich_help_panel=_TRUST
        ),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            help="People's word on criteria: lines of id, question, answer, severity, labels.",
            rich_help_panel=_TRUST,
        ),
    ] = None,
    checks: Annotated[
        bool, typer.Option("--checks", help="See what moves the judge that should not.", rich_help_panel=_TRUST)
    ] = False,
    check_rows: Annotated[
        int, typer.Option(min=1, help="Answers per severity for --checks.", rich_help_panel=_TRUST)
    ] = 10,
    store: Annotated[
        Path | None, typer.Option(help="Where replies are kept; OUT/answers by default.", rich_help_panel=_KEPT)
    ] = None,
    price_in: Annotated[
        float | None, typer.Option(min=0, max=1e9, help="Of a million tokens asked.", rich_help_panel=_KEPT)
    ] = None,
    price_out: Annotated[
        float | None, typer.Option(min=0, max=1e9, help="Of a million tokens replied.", rich_help_panel=_KEPT)
    ] = None,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Have a model judge answers by a rubric.

    Its scores are headed unproven unless --ratings or --gold shows that it agrees with people.
    """
    from ..harness.core.console import Terminal
    from ..harness.runs.run import load_run
    from ..judges.judging import By, Wanted, judge_runs
    from ..judges.rubric import read_rubric
    from ..judges.tables import lines
    from ..ratings.collected import read_ratings
    from .checks import checked
    from .judge_tables import print_judgement
    from .progress import stages_bar

    resampling = resampling_of(seed, resamples, "maqa judge")
    # First of all, so that nothing is read or written with a key in the arguments.
    asked = open_judge(model, model_args, temperature, max_new_tokens, repeats, chat_template, device, store or out)
    with checked("maqa judge --help"):
        wanted = Wanted(
            pairs=pairs,
            repeats=repeats,
            limit=limit,
            checks=check_rows if checks else 0,
            gold=gold,
            price_in=price_in,
            price_out=price_out,
            retry_refused=retry_refused,
        )
    loaded = [load_run(run) for run in runs]
    criteria, file = read_rubric(rubric, loaded[0].language.code)
    rated = read_ratings(ratings) if ratings else None
    with stages_bar("judging") as bar:
        found = judge_runs(
            loaded,
            By(asked, criteria, file),
            wanted,
            out,
            resampling,
            store,
            rated,
            lambda done, total: bar("judging", done, total),
        )
    console = Terminal()
    print_judgement(console, found)
    for line in lines(found):
        console.print(ours(line), markup=False, soft_wrap=True)
    console.print(str(out / "judge.html"), markup=False, soft_wrap=True)


def open_judge(
    model: str,
    model_args: str,
    temperature: float,
    max_new_tokens: int,
    repeats: int,
    chat_template: bool,
    device: str | None,
    store: Path,
) -> Judge:
    """The model of ``--model``, behind an address or loaded here.

    Raises:
        UserError: nobody knows it, or an argument is unknown, impossible or a secret.
    """
    from ..judges.endpoint import ChatEndpoint, without_keys

    if model not in _MODELS:
        raise UserError(f"no judge is called {model!r}", f"Give --model one of {', '.join(_MODELS)}")
    arguments: dict[str, Any] = without_keys(model_arguments(model_args))
    if model == _CHAT:
        return ChatEndpoint(arguments, temperature, max_new_tokens, 1234)
    from ..harness.generation.config import GenerationConfig
    from ..harness.generation.decoding import Decoding
    from ..judges.local import LocalJudge
    from .checks import checked

    if repeats > 1 and not temperature:
        raise UserError(f"{repeats} repeats of a greedy decoding are all the same", "Give --temperature 1")
    with checked("maqa judge --help"):
        config = GenerationConfig.model_validate(
            {
                "kind": model,
                "model_args": arguments,
                "decoding": Decoding(max_new_tokens=max_new_tokens, temperature=temperature),
                "chat_template": chat_template,
                "device": device,
                "store": store,
            }
        )
    return LocalJudge(config)
