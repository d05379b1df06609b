"""``maqa label``: give every complaint its severity, and say how sure that is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..harness.core.console import Terminal
from .app import app
from .label_sources import LLM, Combine, LlmOptions, around_of
from .label_sources import combine as combine_sources
from .label_sources import compare as compare_sources
from .options import LanguageCode, SeverityMapText
from .output import to_output
from .panels import InPanels
from .words import ours, say

if TYPE_CHECKING:
    from ..harness.data.dataset import Dataset
    from ..harness.labelling.sources.base import SeveritySource
    from ..harness.languages import Language
    from ..harness.severity import Weights


class Engine(StrEnum):
    """Where the labelling runs: in this process, or as Ray Data batches."""

    PLAIN = "plain"
    RAY = "ray"


_LLM = "Of --with llm"


@app.command(cls=InPanels)
def label(
    dataset: Annotated[Path | None, typer.Argument(help="The dataset folder.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="SOURCE",
            help="rules (the default), column, hybrid, llm, a trained classifier's folder or a file of people's "
            "labels; several for --compare, --combine and --check.",
        ),
    ] = None,
    combine: Annotated[
        Combine | None, typer.Option(help="Make one of several: by majority, or by the errors in their votes.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show what several sources say and how far they agree.")
    ] = False,
    severity_map: SeverityMapText = None,
    classifier: Annotated[Path | None, typer.Option(help="The classifier's folder, for --with hybrid.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A new folder for the result; by default the dataset's own, but --stress needs one."),
    ] = None,
    scheme: Annotated[
        str, typer.Option(help="Weights of the diagnostics: mild, balanced, strong or three numbers α,β,γ.")
    ] = "balanced",
    explain: Annotated[
        str | None, typer.Option(help="A complaint: show which entries of the rules' lexicon fire and why.")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(help="A gold file (id, severity) or labelled dataset: print the source's report card."),
    ] = None,
    audit: Annotated[
        Path | None, typer.Option(help="A gold file or labelled dataset: say whether its labels can carry a claim.")
    ] = None,
    json: Annotated[Path | None, to_output("With --check: also write the report cards to this file")] = None,
    stress: Annotated[bool, typer.Option("--stress", help="Show how the labels follow the wording.")] = False,
    pairs: Annotated[
        Path | None, typer.Option(help="A file of questions in dialect and in MSA, for --stress.")
    ] = None,
    language: LanguageCode = None,
    engine: Annotated[Engine, typer.Option(help="Run here, or over a Ray cluster.")] = Engine.PLAIN,
    workers: Annotated[int, typer.Option(min=1, help="Workers of the Ray engine.")] = 2,
    model: Annotated[
        str, typer.Option(help="Of llm: chat (behind an address), hf, vllm, ...", rich_help_panel=_LLM)
    ] = "chat",
    model_args: Annotated[
        str,
        typer.Option(
            help="Of llm: base_url=...,model=NAME as in `maqa judge`. A key stands in MAQA_API_KEY.",
            rich_help_panel=_LLM,
        ),
    ] = "",
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Of a reply.", rich_help_panel=_LLM)] = 512,
    temperature: Annotated[float, typer.Option(min=0, max=100, help="Of sampling.", rich_help_panel=_LLM)] = 0.0,
    chat_template: Annotated[
        bool,
        typer.Option("--chat-template", help="Put a local model's prompt into its template.", rich_help_panel=_LLM),
    ] = False,
    device: Annotated[str | None, typer.Option(help="Of a local model: cpu, cuda.", rich_help_panel=_LLM)] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="How often each complaint is asked about.", rich_help_panel=_LLM)
    ] = 1,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="Ask again what a server refused.", rich_help_panel=_LLM)
    ] = False,
    store: Annotated[
        Path | None,
        typer.Option(help="Where replies are kept; in the dataset's folder by default.", rich_help_panel=_LLM),
    ] = None,
) -> None:
    """Label the severity of every complaint. --explain, --check, --compare and --stress label nothing.

    A dataset without labels is labelled in its own folder; one that has labels only into a new one (--out).
    """
    from ..harness.core.errors import UserError
    from ..harness.severity import parse_weights

    if json is not None and check is None:
        raise UserError("--json is for the report cards of --check", "Add --check GOLD, or leave it out")
    console = Terminal()
    choices = given or ["rules"]
    if explain is not None:
        if check is not None or stress or given:
            raise UserError(
                "--explain shows what the rules see",
                "Leave out --with, and ask --check and --stress in another command",
            )
        from ..harness.data.dataset import language_asked
        from ..harness.labelling.sources.rules import RulesSource
        from .label_tables import explanation_lines

        console.print(explanation_lines(RulesSource(language_asked(dataset, language)).explain(explain)))
        return
    if audit is not None:
        if check is not None or stress or given:
            raise UserError("--audit asks the gold alone", "Ask --with, --check and --stress in another command")
        from ..harness.data.dataset import language_asked, open_dataset
        from .label_audit import run_audit

        whose = open_dataset(dataset) if dataset is not None else None
        run_audit(console, whose, audit, out, language_asked(dataset, language), severity_map)
        return
    if dataset is None:
        raise UserError("no dataset is named", "Use `maqa label DATASET`, or --explain with a complaint")
    if check is not None and stress:
        raise UserError("--check and --stress are two questions", "Ask one at a time")
    if pairs is not None and not stress:
        raise UserError("--pairs goes with --stress alone", "Add --stress or leave it out")
    if len(choices) > 1 and combine is None and not compare and check is None:
        raise UserError(
            f"--with names {len(choices)} sources",
            "Add --compare to see them side by side, or --combine majority to label by them",
        )
    if (combine or compare) and len(choices) < 2:
        asked = "--combine" if combine else "--compare"
        raise UserError(f"{asked} takes several sources", "Name each with --with")
    if engine is Engine.RAY and (len(choices) > 1 or choices[0] == LLM or Path(choices[0]).is_file()):
        raise UserError("--engine ray goes with one of rules, hybrid or a classifier", "Leave it out")
    weights = parse_weights(scheme)
    from ..harness.data.dataset import language_asked, open_dataset
    from ..harness.labelling.sources.choose import open_source, open_sources
    from ..harness.labelling.stream import finish_labelling

    finish_labelling(dataset)
    opened = open_dataset(dataset)
    if language is not None:
        language_asked(dataset, language)
    around = around_of(
        opened,
        severity_map,
        LlmOptions(
            model, model_args, max_new_tokens, temperature, chat_template, device, repeats, retry_refused, store
        ),
    )
    if len(choices) > 1:
        several = open_sources(choices, opened.language, classifier, around)
        joined = combine_sources(opened, several, combine) if combine else None
        if compare:
            compare_sources(console, opened, choices, several, joined, out)
            if check is None:
                return
        sources: list[SeveritySource] = [*several, joined] if joined else several
    else:
        sources = [open_source(choices[0], opened.language, classifier, around)]
    chosen = sources[-1]
    from .label_looks import run_check, run_stress

    if check is not None:
        run_check(console, opened, sources, check, out, around.severities, json)
    elif stress:
        run_stress(console, opened, chosen, weights, pairs, out)
    else:
        _label(
            console,
            opened,
            chosen,
            weights,
            scheme,
            out or dataset,
            engine,
            (choices[0], opened.language, classifier, workers),
        )


def _label(
    console: Console,
    opened: Dataset,
    source: SeveritySource,
    weights: Weights,
    scheme: str,
    out: Path,
    engine: Engine,
    spec: tuple[str, Language, Path | None, int],
) -> None:
    from ..harness.data.dataset import SPLITS
    from ..harness.labelling import stream
    from ..harness.labelling.drift import drift_words
    from ..harness.labelling.possible import sets_words
    from ..harness.labelling.quality.trust import dataset_trust, in_words, promise_of
    from ..harness.labelling.weights import by_scheme, dataset_weights
    from .label_looks import warn_if_seen
    from .label_tables import counts_table, schemes_table, weights_table
    from .progress import rows_bar

    known = [folder for folder in (Path(spec[0]), spec[2]) if folder is not None]
    promise = promise_of([opened.folder, *known], source)
    run: stream.Engine = stream.plain
    if engine is Engine.RAY:
        from ..harness.labelling.ray_engine import ray_engine

        run = ray_engine(*spec)
    with rows_bar("labelling", sum(counts["rows"] for counts in opened.info.counts.values())) as advance:
        labelled, counts = stream.label_dataset(
            opened, source, out, engine=run, progress=advance, promise=promise, known=known
        )
    console.print(counts_table(labelled.info, counts))
    trust = dataset_trust(labelled, [])
    console.print(ours(in_words(labelled.info.severity_source.model_dump(), trust)), markup=False, soft_wrap=True)
    warn_if_seen(console, source, opened)
    console.print(weights_table(dataset_weights(labelled, opened, weights), scheme))
    splits = {name: labelled.split(name) for name in SPLITS}
    console.print(schemes_table(by_scheme(splits)))
    if words := sets_words(labelled.info):
        console.print(say("label.sets", words=words), markup=False, soft_wrap=True)
    console.print(say("label.unknown_share", share=f"{counts.unknown_pct:.1f}"), markup=False)
    console.print(ours(drift_words(labelled.info)), markup=False, soft_wrap=True)
    console.print(say("label.written", out=out), markup=False, soft_wrap=True)
