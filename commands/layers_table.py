"""``maqa score FILE --layers``: which layer of an encoder separates right from wrong answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.metrics.bertscore.separation import Auc, LayerTable

_HEADINGS = {
    "people": "what people\njudged better",
    "other": "over another\nquestion's answer",
    "shuffled": "over its own\nwords shuffled",
    "constant": "over a\nconstant answer",
}


def measure_layers(
    file: Path,
    out: Path | None,
    encoder: tuple[str | None, int | None, bool | None],
    reading: Mapping[str, str] | None,
    language: str | None,
) -> None:
    """Measure every layer on a file's references, print the table, and write it where ``out`` says.

    Raises:
        UserError: the file or the encoder cannot be read, no encoder is asked for, or ``out`` cannot be written.
    """
    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..harness.core.files import ensure_writable, write_json
    from ..harness.data.dataset import language_asked
    from ..harness.data.folder import is_dataset
    from ..harness.metrics.bertscore.encoder import NO_ENCODER, choose_encoder, encoder_asked, known_layer
    from ..harness.metrics.bertscore.layers_file import read_references
    from ..harness.metrics.bertscore.separation import layer_table

    if out is not None:
        ensure_writable(out)
        if out.suffix != ".json":
            raise UserError(f"{out} does not end in .json", "The table of layers is a JSON file: name it so")
    asked = encoder_asked(*encoder)
    if asked.model == NO_ENCODER:
        raise UserError("without an encoder there are no layers", "Name one with --bertscore-model")
    if asked.window:
        raise UserError(
            "--layers reads texts up to the encoder's maximum", "Add --no-bertscore-window, or leave out the window"
        )
    tongue = language_asked(file if is_dataset(file) else None, language)
    rows = read_references(file, reading)
    known = asked.layer if asked.layer is not None else known_layer(asked.model)
    choice = choose_encoder(asked.model, known if known is not None else 1)
    table = layer_table(choice, known, rows.references, rows.categories, tongue, rows.judged)
    console = Terminal(soft_wrap=True)
    _print(console, table)
    if out is not None:
        write_json(out, {**table.model_dump(mode="json"), "words": table.words})
        console.print(str(out), markup=False)


def _print(console: Console, table: LayerTable) -> None:
    from rich.table import Table
    from rich.text import Text

    from .tables import print_table

    shown = Table(
        title=Text(f"{table.encoder}: AUC of right answers, percent, 95 % interval over questions"),
        title_justify="left",
    )
    shown.add_column("layer", justify="right")
    kinds = list(table.rows[0].over)
    for kind in kinds:
        shown.add_column(_HEADINGS[kind], justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for row in table.rows:
        marks = ["best"] * (row.layer == table.best and bool(table.separating))
        marks += ["in use"] * (row.layer == table.known_layer)
        shown.add_row(str(row.layer), *(_cell(row.over[kind]) for kind in kinds), ", ".join(marks))
    print_table(console, shown)
    console.print(
        f"{table.questions} constructed questions, of {table.same_category} the wrong answer is one of their own "
        f"category; right is the reference with sentences turned round and one word in eight left out"
        + (f"; {table.judged} answers that people judged" if table.judged else ""),
        markup=False,
    )
    console.print(f"{table.words[:1].upper()}{table.words[1:]}.", markup=False)


def _cell(auc: Auc) -> str:
    ends = "" if auc.low is None or auc.high is None else f" ({auc.low:.1f}–{auc.high:.1f})"
    return f"{auc.value:.1f}{ends}"
