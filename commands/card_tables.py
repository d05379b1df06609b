"""How report cards of severity sources are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ..harness.labelling.report_card import Measure, ReportCard


def card_tables(cards: Sequence[ReportCard]) -> RenderableType:
    """All cards side by side with 95 % intervals, each confusion matrix, and the accuracy of the surest rows."""
    first = cards[0]
    table = Table(title=Text(f"Report card: {first.truth}, n = {first.rows:,}"), title_justify="left")
    table.add_column("measure (95 % interval)")
    for card in cards:
        table.add_column(Text(card.source), justify="right")
    for name in first.measures:
        table.add_row(name, *(_shown(card.measures[name]) for card in cards))
    table.add_row("unknown rows", *(f"{card.unknown:,}" for card in cards))
    surest = Table(title="Accuracy over the surest rows, % (95 % interval)", title_justify="left")
    surest.add_column("coverage")
    for card in cards:
        surest.add_column(Text(card.source), justify="right")
    for row in zip(*(card.selective for card in cards), strict=True):
        surest.add_row(
            f"{100 * row[0].coverage:.0f} %", *(f"{at.accuracy:.1f} ({at.low:.1f}-{at.high:.1f})" for at in row)
        )
    return Group(table, *(_confusion(card) for card in cards), surest)


def _shown(measure: Measure) -> str:
    if measure.value is None:
        return "no such rows"
    digits = 1 if measure.unit else 3
    low, high = (f"{end:.{digits}f}" for end in (measure.low, measure.high))
    unit = f" {measure.unit}" if measure.unit else ""
    return f"{measure.value:.{digits}f}{unit} ({low} to {high})"


def _confusion(card: ReportCard) -> Table:
    names = ("non_critical", "neutral", "critical")
    table = Table(title=Text(f"{card.source}: rows by true (down) and assigned severity"), title_justify="left")
    table.add_column("true")
    for name in names:
        table.add_column(name, justify="right")
    for name, row in zip(names, card.confusion, strict=True):
        table.add_row(name, *(f"{rows:,}" for rows in row))
    return table
