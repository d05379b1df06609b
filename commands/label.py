"""``maqa label``: give every complaint its severity, and say how sure that is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from .app import app
from .options import LanguageCode

if TYPE_CHECKING:
    from ..harness.data.dataset import Dataset
    from ..harness.labelling.sources.base import SeveritySource
    from ..harness.languages import Language
    from ..harness.severity import Weights


class Engine(StrEnum):
    """Where the labelling runs: in this process, or as Ray Data batches."""

    PLAIN = "plain"
    RAY = "ray"


@app.command()
def label(
    dataset: Annotated[Path | None, typer.Argument(help="The dataset folder.")] = None,
    source: Annotated[
        str, typer.Option("--with", help="rules, column, hybrid or the folder of a trained classifier.")
    ] = "rules",
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
    stress: Annotated[bool, typer.Option("--stress", help="Show how the labels follow the wording.")] = False,
    pairs: Annotated[
        Path | None, typer.Option(help="A file of questions in dialect and in MSA, for --stress.")
    ] = None,
    language: LanguageCode = None,
    engine: Annotated[Engine, typer.Option(help="Run here, or over a Ray cluster.")] = Engine.PLAIN,
    workers: Annotated[int, typer.Option(min=1, help="Workers of the Ray engine.")] = 2,
) -> None:
    """Label the severity of every complaint. --explain, --check and --stress look into a source and label nothing.

    A dataset without labels is labelled in its own folder; one that has labels only into a new one (--out).
    """
    from ..harness.core.errors import UserError
    from ..harness.severity import parse_weights

    console = Console(highlight=False)
    if explain is not None:
        if check is not None or stress or source != "rules":
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
        if check is not None or stress or source != "rules":
            raise UserError("--audit asks the gold alone", "Ask --with, --check and --stress in another command")
        from ..harness.data.dataset import language_asked, open_dataset
        from .label_audit import run_audit

        whose = open_dataset(dataset) if dataset is not None else None
        run_audit(console, whose, audit, out, language_asked(dataset, language))
        return
    if dataset is None:
        raise UserError("no dataset is named", "Use `maqa label DATASET`, or --explain with a complaint")
    if check is not None and stress:
        raise UserError("--check and --stress are two questions", "Ask one at a time")
    if pairs is not None and not stress:
        raise UserError("--pairs goes with --stress alone", "Add --stress or leave it out")
    weights = parse_weights(scheme)
    from ..harness.data.dataset import language_asked, open_dataset
    from ..harness.labelling.sources.choose import open_source
    from ..harness.labelling.stream import finish_labelling

    finish_labelling(dataset)
    opened = open_dataset(dataset)
    if language is not None:
        language_asked(dataset, language)
    chosen = open_source(source, opened.language, classifier)
    if check is not None:
        _check(console, opened, chosen, check, out)
    elif stress:
        _stress(console, opened, chosen, weights, pairs, out)
    else:
        _label(
            console,
            opened,
            chosen,
            weights,
            scheme,
            out or dataset,
            engine,
            (source, opened.language, classifier, workers),
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
    from ..harness.labelling.quality.trust import carry_card, dataset_trust, in_words, promise_of
    from ..harness.labelling.weights import by_scheme, dataset_weights
    from .label_tables import counts_table, schemes_table, weights_table
    from .progress import rows_bar

    folders = [folder for folder in (opened.folder, Path(spec[0]), spec[2]) if folder is not None]
    run: stream.Engine = stream.plain
    if engine is Engine.RAY:
        from ..harness.labelling.ray_engine import ray_engine

        run = ray_engine(*spec)
    with rows_bar("labelling", sum(counts["rows"] for counts in opened.info.counts.values())) as advance:
        labelled, counts = stream.label_dataset(
            opened, source, out, engine=run, progress=advance, promise=promise_of(folders, source)
        )
    for folder in folders:
        carry_card(folder, labelled)
    console.print(counts_table(labelled.info, counts))
    trust = dataset_trust(labelled, [])
    console.print(in_words(labelled.info.severity_source.model_dump(), trust), markup=False, soft_wrap=True)
    _warn_if_seen(console, source, opened)
    console.print(weights_table(dataset_weights(labelled, opened, weights), scheme))
    splits = {name: labelled.split(name) for name in SPLITS}
    console.print(schemes_table(by_scheme(splits)))
    if words := sets_words(labelled.info):
        console.print(f"Sets: {words}", markup=False, soft_wrap=True)
    console.print(f"Unknown: {counts.unknown_pct:.1f} % of the rows", markup=False)
    console.print(drift_words(labelled.info), markup=False, soft_wrap=True)
    console.print(f"Labelled dataset written to {out}", markup=False, soft_wrap=True)


def _check(console: Console, opened: Dataset, source: SeveritySource, gold: Path, out: Path | None) -> None:
    from ..harness.core.files import write_json
    from ..harness.data.dataset import open_dataset
    from ..harness.data.folder import is_dataset
    from ..harness.labelling.audit.gold_table import read_gold_table
    from ..harness.labelling.quality.check import check
    from ..harness.labelling.quality.reliability import RELIABILITY, plot_reliability
    from ..harness.labelling.quality.report_card import REPORT_CARD
    from ..harness.labelling.quality.trust import card_for
    from .card_tables import card_tables, not_by_people

    card = check(opened, source, read_gold_table(gold, opened.language, opened), gold)
    if out is not None:
        write_json(out / REPORT_CARD, [card.model_dump()])
        plot_reliability([card], out / RELIABILITY)
    console.print(card_tables([card]))
    if is_dataset(gold) and (warning := not_by_people(open_dataset(gold).info)):
        console.print(warning, markup=False, soft_wrap=True)
    _warn_if_seen(console, source, opened)
    if card_for([card], opened.info.severity_source.model_dump()) and out != opened.folder:
        console.print(
            f"To let this card travel with the dataset into its runs: the same command with --out {opened.folder}",
            markup=False,
            soft_wrap=True,
        )


def _stress(
    console: Console,
    opened: Dataset,
    source: SeveritySource,
    weights: Weights,
    pairs: Path | None,
    out: Path | None,
) -> None:
    from ..harness.core.errors import UserError
    from ..harness.core.files import write_json
    from ..harness.labelling.quality.perturb import perturbations
    from ..harness.labelling.quality.stress import MAX_ROWS, read_pairs, stress_dataset
    from ..harness.labelling.quality.stress_plot import plot_stress
    from .label_tables import stress_table
    from .progress import rows_bar

    if out is None:
        raise UserError("--stress has no folder for its table and plot", "Name one with --out")
    language = opened.language
    given = read_pairs(pairs, language) if pairs else []
    rows = min(MAX_ROWS, sum(counts["rows"] for counts in opened.info.counts.values()))
    with rows_bar("rewriting", rows * len(perturbations(language)) + len(given)) as advance:
        report = stress_dataset(opened, source, weights, pairs=given, progress=advance)
    write_json(out / "stress.json", report.model_dump())
    plot_stress(report, out / "stress.png")
    console.print(stress_table(report))
    _warn_if_seen(console, source, opened)
    console.print(f"Written to {out / 'stress.json'} and {out / 'stress.png'}", markup=False, soft_wrap=True)


def _warn_if_seen(console: Console, source: SeveritySource, opened: Dataset) -> None:
    from .label_tables import seen_in_training

    if note := seen_in_training(source, opened.info):
        console.print(note, markup=False, soft_wrap=True)
