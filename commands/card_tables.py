"""How report cards of severity sources are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .words import heading, ours, say, term

if TYPE_CHECKING:
    from ..harness.data.dataset import DatasetInfo
    from ..harness.labelling.quality.report_card import Measure, ReportCard

SEVERITY_NAMES = ("non_critical", "neutral", "critical")


def card_tables(cards: Sequence[ReportCard]) -> RenderableType:
    """All cards side by side with 95 % intervals, each confusion matrix, the accuracy of the surest rows,
    the conformal sets, and the verdict on each source."""
    from ..harness.labelling.quality.standing import standing_words
    from ..harness.languages.sentences import sentence

    first = cards[0]
    named = [card.source for card in cards]
    # Two files of people's labels are told apart by the names of the files.
    names = [card.version if named.count(card.source) > 1 else card.source for card in cards]
    table = Table(
        title=Text(say("card.title", truth=first.truth, n=f"{first.rows:,}")),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column(heading("card.measure"), no_wrap=True)
    for name in names:
        table.add_column(Text(name), justify="right", no_wrap=True)
    for name, measure in first.measures.items():
        table.add_row(f"{name} {measure.unit}".rstrip(), *(_shown(card.measures[name]) for card in cards))
    table.add_row(heading("card.unknown"), *(f"{card.unknown:,}" for card in cards))
    if first.rivals is not None:
        table.add_row(heading("card.commonest"), *[f"{first.rivals.majority:.1f}"] * len(cards))
        for name, value in (("position", first.rivals.position), ("ceiling", first.rivals.ceiling)):
            shown = heading("card.not_known") if value is None else f"{value:.3f}"
            table.add_row(say("card.kappa", what=sentence(f"card.{name}")), *[shown] * len(cards))
    surest = Table(title=heading("card.surest"), title_justify="left")
    surest.add_column(heading("card.coverage"), no_wrap=True)
    for name in names:
        surest.add_column(Text(name), justify="right", no_wrap=True)
    for row in zip(*(card.selective for card in cards), strict=True):
        surest.add_row(
            f"{100 * row[0].coverage:.0f} %", *(f"{at.accuracy:.1f} ({at.low:.1f}–{at.high:.1f})" for at in row)
        )
    verdicts = [Text(f"{name}: {ours(standing_words(card))}") for card, name in zip(cards, names, strict=True)]
    confusions = [_confusion(card, name) for card, name in zip(cards, names, strict=True)]
    return Group(table, *confusions, surest, *_sets(cards), *verdicts)


def _sets(cards: Sequence[ReportCard]) -> list[Table]:
    """How often sets of severities hold the true one, and how much they leave open."""
    from ..harness.languages.sentences import severity

    found = [(card.source, card.conformal) for card in cards if card.conformal is not None]
    if not found:
        return []
    level = f"{found[0][1].level:.0f}"
    table = Table(
        title=say("card.sets", level=level),
        title_justify="left",
        caption=heading("card.sets_caption"),
        caption_justify="left",
    )
    table.add_column(heading("card.source"), no_wrap=True)
    held = [say("card.held", severity=severity(name)) for name in SEVERITY_NAMES[::-1]]
    for name in (*held, heading("card.set_size"), heading("card.undecided")):
        table.add_column(name, justify="right")
    for source, each in found:
        held = [heading("card.none") if share is None else f"{share:.1f}" for share in each.coverage[::-1]]
        table.add_row(Text(source), *held, f"{each.size:.2f}", f"{each.undecided:.1f}")
    return [table]


def not_by_people(truth: DatasetInfo) -> str:
    """A warning if the severities that serve as the truth come from a machine, else an empty text."""
    from ..harness.labelling.sources.base import BY_PEOPLE

    name = truth.severity_source.name
    if name in BY_PEOPLE:
        return ""
    return say("card.not_people", name=repr(name))


def _shown(measure: Measure) -> str:
    if measure.value is None:
        return heading("card.none")
    value, low, high = (_number(number, measure.unit) for number in (measure.value, measure.low, measure.high))
    return (
        f"{value}\n{heading('label.range').format(low=low, high=high)}"
        if low.startswith("-")
        else f"{value}\n{low}–{high}"
    )


def _number(number: float | None, unit: str) -> str:
    """One decimal for percentages, three for the rest."""
    return f"{number:.1f}" if unit else f"{number:.3f}"


def _confusion(card: ReportCard, source: str) -> Table:
    table = Table(title=Text(say("card.confusion", source=source)), title_justify="left")
    table.add_column(heading("card.true"))
    for name in SEVERITY_NAMES:
        table.add_column(term(name), justify="right")
    for name, row in zip(SEVERITY_NAMES, card.confusion, strict=True):
        table.add_row(term(name), *(f"{rows:,}" for rows in row))
    return table
