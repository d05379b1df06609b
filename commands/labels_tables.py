"""What wrong severity labels do to a comparison, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tables import print_table
from .words import heading, ours, say, stratum

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.runs.true_severities import LabelsCompared


def print_corrected(console: Console, labels: LabelsCompared, metric: str) -> None:
    """The differences of a metric per true severity, or why there are none."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if reason := labels.not_corrected.get(metric):
        line = say("true.not_corrected", metric=metric, reason=reason)
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if not (found := labels.of(metric)):
        return
    table = Table(
        title=Text(say("true.title", metric=metric)),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
        leading=1,
    )
    powered = any(each.powered for each in found)
    for name in ("truly", "corrected", "worst", *(["powered_heading"] if powered else [])):
        table.add_column(heading(f"true.{name}"), justify="left" if name == "truly" else "right", no_wrap=True)
    for each in found:
        cells = [f"{_points(each.mean)}\n{_ends(each.low, each.high)}", _ends(each.worst_low, each.worst_high)]
        if powered:
            cells += [f"{_points(each.powered[0])}\n{_ends(*each.powered[1:])}" if each.powered else "-"]
        table.add_row(Text(stratum(each.stratum)), *map(Text, cells))
    print_table(console, table)


def print_labels(console: Console, labels: LabelsCompared, warnings: bool = True) -> None:
    """Who decided the severities, what a reader must know of it, and what the corrections assume."""
    from rich.text import Text

    from ..harness.runs.true_severities import ASSUMED, POWERED

    console.print(Text(say("true.severities", words=labels.words)), soft_wrap=True)
    for line in labels.warnings if warnings else ():
        console.print(Text(ours(line), style="yellow"), soft_wrap=True)
    if labels.differences:
        console.print(Text(ours(ASSUMED)), soft_wrap=True)
    if any(each.powered for each in labels.differences):
        console.print(Text(ours(POWERED)), soft_wrap=True)


def _points(value: float) -> str:
    from ..harness.statistics.verdicts import points

    return points(value, "+")


def _ends(low: float, high: float) -> str:
    return f"[{_points(low)}, {_points(high)}]"
