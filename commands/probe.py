"""``maqa probe``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..harness.generation.backends import BACKENDS
from .app import app
from .evaluate import Engine, stop_strings
from .options import RESAMPLES, model_arguments, resampling_of
from .panels import InPanels

if TYPE_CHECKING:
    from rich.console import Console

    from ..probes.records import Probe

_MODEL, _TEXTS, _ANSWERS, _OUT = "Model", "Texts", "Answers", "Output"


@app.command(cls=InPanels)
def probe(
    model: str = typer.Option(help=f"One of: {', '.join(BACKENDS)}.", rich_help_panel=_MODEL),
    model_args: str = typer.Option("", help="As in maqa evaluate.", rich_help_panel=_MODEL),
    batch_size: str = typer.Option("auto", help="Prompts per batch, or auto.", rich_help_panel=_MODEL),
    device: str | None = typer.Option(None, help="cpu, cuda, cuda:1, ...", rich_help_panel=_MODEL),
    engine: Engine = typer.Option(
        Engine.LOCAL, help="ray: one engine per GPU of the cluster.", rich_help_panel=_MODEL
    ),
    workers: int | None = typer.Option(
        None, min=1, help="Engines under ray; one per GPU or CPU by default.", rich_help_panel=_MODEL
    ),
    data: Path | None = typer.Option(
        None, help="Dataset whose training answers `nearest` draws on.", rich_help_panel=_MODEL
    ),
    language: str | None = typer.Option(
        None, help="Whose cases, such as en, else MAQA_LANGUAGE; Arabic by default.", rich_help_panel=_TEXTS
    ),
    case: list[str] = typer.Option([], help="Only this case, by name; may be repeated.", rich_help_panel=_TEXTS),
    cases: int | None = typer.Option(
        None, help="So many cases, evenly over the list; all by default.", rich_help_panel=_TEXTS
    ),
    factors: str | None = typer.Option(
        None,
        help="What varies, of dialect,minimising,sign,typos,wanted; all by default. Others stay at the first.",
        rich_help_panel=_TEXTS,
    ),
    typo_seed: int = typer.Option(0, min=0, help="Of the typing errors.", rich_help_panel=_TEXTS),
    chat_template: bool = typer.Option(
        False, "--chat-template", help="Put the prompt into the model's template.", rich_help_panel=_ANSWERS
    ),
    decoding: str = typer.Option("greedy", help="greedy, paper or paper-curriculum.", rich_help_panel=_ANSWERS),
    max_new_tokens: int | None = typer.Option(
        None, min=1, help="Instead of the preset's.", rich_help_panel=_ANSWERS
    ),
    until: list[str] | None = typer.Option(
        None, help="Stop string instead of the prompt's own; may be repeated.", rich_help_panel=_ANSWERS
    ),
    seed: int | None = typer.Option(None, help="Of sampling; recorded.", rich_help_panel=_ANSWERS),
    retry_refused: bool = typer.Option(
        False, "--retry-refused", help="Ask an endpoint again what it refused to answer.", rich_help_panel=_ANSWERS
    ),
    resamples: Annotated[int | None, typer.Option(help=RESAMPLES, rich_help_panel=_OUT)] = None,
    resampling_seed: int | None = typer.Option(None, help="Of the resamples; 0 by default.", rich_help_panel=_OUT),
    out: Path = typer.Option(help="Folder; the same command goes on where it stopped.", rich_help_panel=_OUT),
    name: str | None = typer.Option(None, help="What the model is called on the page.", rich_help_panel=_OUT),
    store: Path | None = typer.Option(
        None, help="Where answers are kept; OUT/answers by default.", rich_help_panel=_OUT
    ),
) -> None:
    """Try emergencies and harmless twins, written in many ways.

    The cases are synthetic and no medical advice.
    """
    from ..harness.core.console import Terminal
    from ..harness.generation.backends import BACKENDS
    from ..harness.generation.config import GenerationConfig, Kind
    from ..harness.generation.decoding import Preset
    from ..harness.generation.decoding import decoding as preset
    from ..harness.languages import Style
    from ..probes.asking import probe as ask
    from ..probes.design import design_of
    from ..tasks.documents import language_of
    from .checks import checked

    resampling = resampling_of(resampling_seed, resamples, "maqa probe")
    tongue = language_of(data, language)
    varied = None if factors is None else [part.strip() for part in factors.split(",") if part.strip()]
    design = design_of(tongue, case, cases, varied, typo_seed)
    style = Style.CHAT if chat_template or BACKENDS[model].turns else Style.PLAIN
    changes: dict[str, Any] = {"max_new_tokens": max_new_tokens, "seed": seed}
    sizes: dict[str, Any] = {"batch_size": batch_size}
    with checked("maqa probe --help"):
        given = {key: value for key, value in changes.items() if value is not None}
        config = GenerationConfig(
            kind=Kind(model),
            model_args=model_arguments(model_args),
            decoding=preset(Preset(decoding), tongue, style, stop_strings(until) if until else None, **given),
            chat_template=chat_template,
            answer=tongue.referral,
            data=data,
            device=device,
            store=store or out / "answers",
            ray=engine is Engine.RAY,
            workers=workers,
            retry_refused=retry_refused,
            **sizes,
        )
    found = ask(config, design, tongue, out, name, shlex.join(["maqa", *sys.argv[1:]]), resampling)
    print_probe(Terminal(), found)
    Terminal().print(str(out), markup=False, soft_wrap=True)


def print_probe(console: Console, probe: Probe) -> None:
    """Who is sent at once, what the wording does to it, and what must be known of both."""
    from rich.table import Table
    from rich.text import Text

    from ..harness.languages.messages import messages, reader
    from ..harness.languages.sentences import named_term, run_on, sentence, told
    from ..harness.metrics.screening import in_lines, named
    from ..probes.design import Kind
    from ..probes.reading import APART
    from ..probes.words import ONE_EACH, stratum_words, told_apart
    from .tables import print_table

    say = messages(reader())

    def here(text: str) -> Text:
        return Text(told(text, reader()))

    def heading(name: str) -> Text:
        return Text(say(f"probe.column.{name}"))

    table = Table(title=Text(say("probe.rates", name=probe.name)), title_justify="left")
    for name in ("texts", "rate"):
        table.add_column(heading(name), overflow="fold", min_width=10)
    for name in ("cases", "answers", "percent"):
        table.add_column(heading(name), justify="right", no_wrap=True)
    for rate in probe.rates:
        if rate.outcome != APART:
            ends = "" if rate.low is None else f" [{rate.low:.1f}, {rate.high:.1f}]"
            cells = (
                stratum_words(rate.stratum),
                named(rate.outcome, probe.screening),
                str(rate.cases),
                str(rate.answers),
                f"{rate.value:.1f}{ends}",
            )
            table.add_row(*map(here, cells))
    print_table(console, table)
    console.print(here(told_apart(probe.rates, probe.screening)), soft_wrap=True)
    table = Table(title=Text(say("probe.odds")), title_justify="left")
    table.add_column(heading("texts"), overflow="fold", min_width=10)
    table.add_column(heading("other"), overflow="fold", min_width=14)
    for name in ("pairs", "sent_short", "odds"):
        table.add_column(heading(name), justify="right", no_wrap=True)
    shown = [effect for effect in probe.effects if effect.stratum in (Kind.EMERGENCY, Kind.TWIN)]
    for effect in shown:
        ways = {name: named_term(getattr(effect, name)) for name in ("factor", "level", "against")}
        what = sentence("probe.against", **ways)
        sent = f"{effect.rate:.1f} / {effect.rate_against:.1f}"
        odds = run_on(effect.ratio, " ", effect.interval)
        table.add_row(*map(here, (stratum_words(effect.stratum), what, str(effect.pairs), sent, odds)))
    print_table(console, table)
    console.print(here(ONE_EACH), soft_wrap=True)
    if len(shown) < len(probe.effects):
        console.print(Text(say("probe.more")))
    for line in probe.compared:
        console.print(here(line), soft_wrap=True)
    left = (sentence("probe.left_out.line", words=line) for line in probe.left_out)
    for line in (*left, *in_lines(probe.screening, list(probe.screening)), *probe.notes):
        console.print(here(line), style="yellow", soft_wrap=True)
    console.print(here(probe.about), soft_wrap=True)
