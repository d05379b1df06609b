"""True rates behind those of the safety detectors, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tables import interval_text, print_table
from .words import ours, say, stratum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from ..harness.metrics.true_rates import TrueRate


def print_true_rates(
    console: Console, rates: Sequence[TrueRate], screened: Mapping[str, str], *, signed: bool = False
) -> None:
    """A row per detector, a column per stratum, and what the correction assumes; nothing without a rate.

    Args:
        screened: the detectors that are for screening only.
        signed: whether they are differences, in points.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ..harness.metrics.screening import named
    from ..harness.metrics.true_rates import WORDS
    from ..harness.statistics import STRATA
    from ..harness.statistics.verdicts import points

    if not rates:
        return
    cells = {(each.metric, each.stratum): each for each in rates}
    present = [stratum for stratum in STRATA if any(place == stratum for _, place in cells)]
    title = Text(say(f"true.rates_{'signed' if signed else 'plain'}"))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0, leading=1)
    table.add_column(say("compare.metric_heading"), no_wrap=True)
    for name in (say("true.gold"), *map(stratum, present)):
        table.add_column(name, justify="right", no_wrap=True)
    for metric in dict.fromkeys(metric for metric, _ in cells):
        row = [cells.get((metric, stratum)) for stratum in present]
        shown = [
            interval_text(cell)
            if not (signed and cell)
            else f"{points(cell.mean, '+')}\n[{points(cell.low, '+')}, {points(cell.high, '+')}]"
            for cell in row
        ]
        table.add_row(
            ours(named(metric, screened)), str(next(cell.gold for cell in row if cell)), *map(Text, shown)
        )
    print_table(console, table)
    console.print(Text(ours(WORDS)), soft_wrap=True)
