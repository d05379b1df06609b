"""A judgement for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from .tables import print_table
from .words import ours, term

if TYPE_CHECKING:
    from rich.console import Console

    from ..judges.record import Judgement
    from ..judges.tables import Shown


def print_judgement(console: Console, found: Judgement) -> None:
    """Its tables; the scores stand under what they can be trusted for."""
    from ..judges.tables import tables

    for shown in tables(found):
        print_shown(console, shown, found.standing.proven)


def print_shown(console: Console, shown: Shown, proven: bool) -> None:
    """A table under its title, which warns where nothing is proven."""
    console.print(ours(shown.title), markup=False, soft_wrap=True, style=None if proven else "yellow")
    table = Table()
    for place, name in enumerate(shown.columns):
        table.add_column(term(name), justify="left" if place < shown.texts else "right", no_wrap=True)
    for row in shown.rows:
        table.add_row(*(Text(ours(cell)) for cell in row))
    print_table(console, table)
