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
from .words import heading, ours, say, term

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
    Terminal(soft_wrap=True).print(say("prepare.written", folder=dataset.folder), markup=False)


def _show(card: Card, console: Console) -> None:
    from ..harness.languages.sentences import named_term, sentence, together

    columns = ", ".join(f"{role} <- {name!r}" for role, name in card.columns.items())
    console.print(Text(say("prepare.columns", words=columns)))
    if card.parts:
        parts = [sentence("prepare.split", name=name, n=f"{rows:,}") for name, rows in card.parts.items()]
        console.print(Text(say("prepare.splits", words=together(parts, "list.comma"))))
    console.print(Text(say("prepare.clusters", words=card.clusters)), soft_wrap=True)
    notes = (*card.reading, *card.rows, card.unused)
    for said in (say("prepare.severities", words=card.read_as) if card.read_as else "", *notes):
        if said:
            console.print(Text(ours(said)), soft_wrap=True)
    table = Table(heading("prepare.rows"), heading("prepare.count"), title=heading("prepare.rows_title"))
    table.add_row(heading("prepare.read"), f"{card.read:,}")
    for reason, count in card.dropped.items():
        table.add_row(say("prepare.dropped", why=named_term(reason.replace("_", " "))), f"{count:,}")
    table.add_row(heading("prepare.kept"), f"{card.kept:,}")
    if card.contradictions:
        table.add_row(heading("prepare.contradictions"), f"{card.contradictions:,}")
    if card.foreign:
        table.add_row(heading("prepare.foreign"), f"{card.foreign:,}")
    table.columns[1].justify = "right"
    print_table(console, table)
    print_table(console, _counts("severity", card.severities))
    print_table(console, _counts("category", card.categories))
    quantiles = [f"{quantile:.0%}" for quantile in card.lengths.columns]
    lengths = Table(heading("prepare.words"), *quantiles, title=heading("prepare.quantiles"))
    for name, row in card.lengths.iterrows():
        lengths.add_row(term(name), *(f"{value:g}" for value in row))
    print_table(console, lengths)
    if 2 * card.foreign > card.kept:
        key = f"prepare.language{'_likely' if card.likely else ''}"
        given = {"foreign": f"{card.foreign:,}", "kept": f"{card.kept:,}", "language": card.language}
        line = say(key, **given, likely=repr(card.likely))
        console.print(line, markup=False, style="yellow", soft_wrap=True)


def _counts(title: str, counts: pd.DataFrame) -> Table:
    from ..harness.languages.sentences import sentence

    what = sentence(f"prepare.{title}")
    table = Table(ours(what), title=say("prepare.rows_by", what=what))
    for name in (*map(term, counts.columns), heading("prepare.all")):
        table.add_column(name, justify="right")
    for value, row in counts.iterrows():
        table.add_row(
            Text(term(value) if title == "severity" else str(value)),
            *(f"{count:,}" for count in row),
            f"{row.sum():,}",
        )
    table.add_section()
    table.add_row(
        heading("prepare.all"), *(f"{count:,}" for count in counts.sum()), f"{int(counts.to_numpy().sum()):,}"
    )
    return table
