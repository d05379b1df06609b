"""What wrong severity labels do to a comparison, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tables import print_table

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.runs.true_severities import LabelsCompared


def print_corrected(console: Console, labels: LabelsCompared, metric: str) -> None:
    """The differences of a metric per true severity, or why there are none."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if reason := labels.not_corrected.get(metric):
        console.print(Text(f"{metric}, not corrected for wrong labels: {reason}", style="yellow"), soft_wrap=True)
    if not (found := labels.of(metric)):
        return
    table = Table(
        title=Text(f"{metric}, B - A by true severity"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
        leading=1,
    )
    powered = any(each.powered for each in found)
    for heading in ("truly", "corrected", "worst case", *(["by gold rows"] if powered else [])):
        table.add_column(heading, justify="left" if heading == "truly" else "right", no_wrap=True)
    for each in found:
        cells = [f"{_points(each.mean)}\n{_ends(each.low, each.high)}", _ends(each.worst_low, each.worst_high)]
        if powered:
            cells += [f"{_points(each.powered[0])}\n{_ends(*each.powered[1:])}" if each.powered else "-"]
        table.add_row(Text(each.stratum), *map(Text, cells))
    print_table(console, table)


def print_labels(console: Console, labels: LabelsCompared, warnings: bool = True) -> None:
    """Who decided the severities, what a reader must know of it, and what the corrections assume."""
    from rich.text import Text

    from ..harness.runs.true_severities import ASSUMED, POWERED

    console.print(Text(f"Severities: {labels.words}"), soft_wrap=True)
    for line in labels.warnings if warnings else ():
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if labels.differences:
        console.print(Text(ASSUMED), soft_wrap=True)
    if any(each.powered for each in labels.differences):
        console.print(Text(POWERED), soft_wrap=True)


def _points(value: float) -> str:
    from ..harness.statistics.verdicts import points

    return points(value, "+")


def _ends(low: float, high: float) -> str:
    return f"[{_points(low)}, {_points(high)}]"
