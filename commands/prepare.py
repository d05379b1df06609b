"""``maqa prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..harness.core.console import Terminal
from ..harness.core.errors import UserError
from ..harness.data.sources import known
from .app import app
from .options import LanguageCode, SeverityMapText
from .progress import stages_bar
from .source_options import Reading, with_reader_options
from .tables import print_table

if TYPE_CHECKING:
    import pandas as pd

    from ..harness.data.card import Card

_SHARE = "rows such as 2000, or a fraction such as 0.1"


@app.command()
@with_reader_options
def prepare(
    source: Annotated[Path, typer.Argument(help=f"{known()[0].upper()}{known()[1:]}.")],
    out: Annotated[Path, typer.Option(help="The dataset folder to write.")],
    test: Annotated[str, typer.Option(help=f"Size of the test split: {_SHARE}.")] = "0.1",
    validation: Annotated[str, typer.Option(help=f"Size of the validation split: {_SHARE}.")] = "0.1",
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    question_column: Annotated[str | None, typer.Option(help="Column of the question.")] = None,
    answer_column: Annotated[str | None, typer.Option(help="Column of the answer.")] = None,
    category_column: Annotated[str | None, typer.Option(help="Column of the category.")] = None,
    severity_column: Annotated[str | None, typer.Option(help="Column of the severity.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column of the id.")] = None,
    cluster_column: Annotated[
        str | None,
        typer.Option(
            help="Column of what belongs together (one case, one consultation); else nearly equal questions do."
        ),
    ] = None,
    severity_map: SeverityMapText = None,
    probability_columns: Annotated[
        str | None, typer.Option(help="Columns of the probabilities: NON_CRITICAL,NEUTRAL,CRITICAL.")
    ] = None,
    reading: Reading = None,
    language: LanguageCode = None,
    redact: Annotated[
        bool,
        typer.Option(
            "--redact", help="Replace phone numbers, addresses, links, ID numbers and doctors' names by marks."
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the dataset in the folder.")] = False,
) -> None:
    """Make a dataset from questions and answers.

    Finds the columns, drops duplicates and answerless rows, splits so that no question stands in two splits.
    """
    from ..harness.data.columns import PROBABILITIES, Role
    from ..harness.data.dataset import language_asked
    from ..harness.data.folder import is_dataset
    from ..harness.data.options import PrepareOptions, parse_share
    from ..harness.data.prepare import prepare as write_dataset
    from ..harness.data.severity_map import read_severity_map
    from ..harness.labelling.quality.trust import carry_card

    given = {
        Role.QUESTION: question_column,
        Role.ANSWER: answer_column,
        Role.CATEGORY: category_column,
        Role.SEVERITY: severity_column,
        Role.ID: id_column,
        Role.CLUSTER: cluster_column,
    }
    if probability_columns is not None:
        names = [name.strip() for name in probability_columns.split(",")]
        if len(names) != len(PROBABILITIES):
            raise UserError(
                f"--probability-columns {probability_columns!r} does not name three columns",
                "Give NON_CRITICAL,NEUTRAL,CRITICAL",
            )
        given |= dict(zip(PROBABILITIES, names, strict=True))
    tongue = language_asked(source if is_dataset(source) else None, language)
    options = PrepareOptions(
        language=tongue,
        severities=read_severity_map(severity_map, tongue),
        columns={role: name for role, name in given.items() if name is not None},
        reading=reading or {},
        test=parse_share(test),
        validation=parse_share(validation),
        seed=seed,
        redact=redact,
        overwrite=overwrite,
    )
    with stages_bar("Opening") as report:
        dataset, card = write_dataset(source, out, options, report)
    if is_dataset(source):
        carry_card(source, dataset)
    _show(card, Terminal())
    Terminal(soft_wrap=True).print(f"Dataset written to {dataset.folder}", markup=False)


def _show(card: Card, console: Console) -> None:
    columns = ", ".join(f"{role} <- {name!r}" for role, name in card.columns.items())
    console.print(Text(f"Columns: {columns}"))
    if card.parts:
        splits = ", ".join(f"{name} ({rows:,} rows)" for name, rows in card.parts.items())
        console.print(Text(f"Splits, all of them read: {splits}"))
    console.print(Text(f"Clusters: {card.clusters}"), soft_wrap=True)
    notes = (*card.reading, *card.rows, card.unused)
    for said in (f"Severities: {card.read_as}" if card.read_as else "", *notes):
        if said:
            console.print(Text(said), soft_wrap=True)
    table = Table("rows", "count", title="Rows")
    table.add_row("read", f"{card.read:,}")
    for reason, count in card.dropped.items():
        table.add_row(f"dropped: {reason.replace('_', ' ')}", f"{count:,}")
    table.add_row("kept", f"{card.kept:,}")
    if card.contradictions:
        table.add_row("label is not the most likely severity", f"{card.contradictions:,}")
    if card.foreign:
        table.add_row("question without a letter of the language", f"{card.foreign:,}")
    table.columns[1].justify = "right"
    print_table(console, table)
    print_table(console, _counts("severity", card.severities))
    print_table(console, _counts("category", card.categories))
    lengths = Table("words", *(f"{quantile:.0%}" for quantile in card.lengths.columns), title="Length quantiles")
    for name, row in card.lengths.iterrows():
        lengths.add_row(str(name), *(f"{value:g}" for value in row))
    print_table(console, lengths)
    if 2 * card.foreign > card.kept:
        better = f", most have letters of {card.likely!r}" if card.likely else ""
        console.print(
            f"Is the language right? {card.foreign:,} of {card.kept:,} questions have no letter of"
            f" {card.language}{better}. Prompt, labels and metrics follow it; --language chooses another",
            markup=False,
            style="yellow",
            soft_wrap=True,
        )


def _counts(title: str, counts: pd.DataFrame) -> Table:
    table = Table(title, title=f"Rows by {title}")
    for name in (*counts.columns, "all"):
        table.add_column(name, justify="right")
    for value, row in counts.iterrows():
        table.add_row(Text(str(value)), *(f"{count:,}" for count in row), f"{row.sum():,}")
    table.add_section()
    table.add_row("all", *(f"{count:,}" for count in counts.sum()), f"{int(counts.to_numpy().sum()):,}")
    return table
