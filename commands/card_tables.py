"""How report cards of severity sources are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ..harness.data.dataset import DatasetInfo
    from ..harness.labelling.quality.report_card import Measure, ReportCard


def card_tables(cards: Sequence[ReportCard]) -> RenderableType:
    """All cards side by side with 95 % intervals, each confusion matrix, and the accuracy of the surest rows."""
    first = cards[0]
    table = Table(
        title=Text(f"Report card: {first.truth}, n = {first.rows:,}"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("measure, 95 % interval", no_wrap=True)
    for card in cards:
        table.add_column(Text(card.source), justify="right", no_wrap=True)
    for name, measure in first.measures.items():
        table.add_row(f"{name} {measure.unit}".rstrip(), *(_shown(card.measures[name]) for card in cards))
    table.add_row("unknown rows", *(f"{card.unknown:,}" for card in cards))
    surest = Table(title="Accuracy over the surest rows, % (95 % interval)", title_justify="left")
    surest.add_column("coverage", no_wrap=True)
    for card in cards:
        surest.add_column(Text(card.source), justify="right", no_wrap=True)
    for row in zip(*(card.selective for card in cards), strict=True):
        surest.add_row(
            f"{100 * row[0].coverage:.0f} %", *(f"{at.accuracy:.1f} ({at.low:.1f}–{at.high:.1f})" for at in row)
        )
    return Group(table, *(_confusion(card) for card in cards), surest)


def not_by_people(truth: DatasetInfo) -> str:
    """A warning if the severities that serve as the truth come from a machine, else an empty text."""
    name = truth.severity_source.name
    if name == "column":
        return ""
    return (
        f"The labels come from the source {name!r}, not from people: the card shows agreement with it, not with "
        "clinicians."
    )


def _shown(measure: Measure) -> str:
    if measure.value is None:
        return "no such rows"
    value, low, high = (_number(number, measure.unit) for number in (measure.value, measure.low, measure.high))
    return f"{value}\n{low} to {high}" if low.startswith("-") else f"{value}\n{low}–{high}"


def _number(number: float | None, unit: str) -> str:
    """One decimal for percentages, three for the rest."""
    return f"{number:.1f}" if unit else f"{number:.3f}"


def _confusion(card: ReportCard) -> Table:
    names = ("non_critical", "neutral", "critical")
    table = Table(title=Text(f"{card.source}: rows by true (down) and assigned severity"), title_justify="left")
    table.add_column("true")
    for name in names:
        table.add_column(name, justify="right")
    for name, row in zip(names, card.confusion, strict=True):
        table.add_row(name, *(f"{rows:,}" for rows in row))
    return table
