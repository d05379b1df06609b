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

SEVERITY_NAMES = ("non_critical", "neutral", "critical")


def card_tables(cards: Sequence[ReportCard]) -> RenderableType:
    """All cards side by side with 95 % intervals, each confusion matrix, the accuracy of the surest rows,
    the conformal sets, and the verdict on each source."""
    from ..harness.labelling.quality.standing import standing_words

    first = cards[0]
    named = [card.source for card in cards]
    # Two files of people's labels are told apart by the names of the files.
    names = [card.version if named.count(card.source) > 1 else card.source for card in cards]
    table = Table(
        title=Text(f"Report card: {first.truth}, n = {first.rows:,}"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("measure, 95 % interval", no_wrap=True)
    for name in names:
        table.add_column(Text(name), justify="right", no_wrap=True)
    for name, measure in first.measures.items():
        table.add_row(f"{name} {measure.unit}".rstrip(), *(_shown(card.measures[name]) for card in cards))
    table.add_row("unknown rows", *(f"{card.unknown:,}" for card in cards))
    if first.rivals is not None:
        table.add_row("accuracy % of the commonest label", *[f"{first.rivals.majority:.1f}"] * len(cards))
        for name, value in (("place in the file", first.rivals.position), ("ceiling", first.rivals.ceiling)):
            table.add_row(
                f"quadratic_kappa: {name}", *["not known" if value is None else f"{value:.3f}"] * len(cards)
            )
    surest = Table(title="Accuracy over the surest rows, % (95 % interval)", title_justify="left")
    surest.add_column("coverage", no_wrap=True)
    for name in names:
        surest.add_column(Text(name), justify="right", no_wrap=True)
    for row in zip(*(card.selective for card in cards), strict=True):
        surest.add_row(
            f"{100 * row[0].coverage:.0f} %", *(f"{at.accuracy:.1f} ({at.low:.1f}–{at.high:.1f})" for at in row)
        )
    verdicts = [Text(f"{name}: {standing_words(card)}") for card, name in zip(cards, names, strict=True)]
    confusions = [_confusion(card, name) for card, name in zip(cards, names, strict=True)]
    return Group(table, *confusions, surest, *_sets(cards), *verdicts)


def _sets(cards: Sequence[ReportCard]) -> list[Table]:
    """How often sets of severities hold the true one, and how much they leave open."""
    found = [(card.source, card.conformal) for card in cards if card.conformal is not None]
    if not found:
        return []
    level = f"{found[0][1].level:.0f}"
    table = Table(
        title=f"Conformal sets: each severity's complaints hold it in {level} %",
        title_justify="left",
        caption="measured over 200 random halves of these rows; a set of not exactly one severity is undecided",
        caption_justify="left",
    )
    table.add_column("source", no_wrap=True)
    for name in (
        "critical\nheld %",
        "neutral\nheld %",
        "non_critical\nheld %",
        "severities\nin a set",
        "undecided\n%",
    ):
        table.add_column(name, justify="right")
    for source, each in found:
        held = ["no such rows" if share is None else f"{share:.1f}" for share in each.coverage[::-1]]
        table.add_row(Text(source), *held, f"{each.size:.2f}", f"{each.undecided:.1f}")
    return [table]


def not_by_people(truth: DatasetInfo) -> str:
    """A warning if the severities that serve as the truth come from a machine, else an empty text."""
    from ..harness.labelling.sources.base import BY_PEOPLE

    name = truth.severity_source.name
    if name in BY_PEOPLE:
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


def _confusion(card: ReportCard, source: str) -> Table:
    table = Table(title=Text(f"{source}: rows by true (down) and assigned severity"), title_justify="left")
    table.add_column("true")
    for name in SEVERITY_NAMES:
        table.add_column(name, justify="right")
    for name, row in zip(SEVERITY_NAMES, card.confusion, strict=True):
        table.add_row(name, *(f"{rows:,}" for rows in row))
    return table
