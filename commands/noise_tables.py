"""What asking a run's questions again changed, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from .tables import headed, print_table
from .words import heading, ours, say

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.runs.comparison import Comparison
    from ..harness.runs.noise import SelfDifference
    from ..harness.runs.run import Run
    from ..harness.statistics import Difference


def print_noise(console: Console, run: Run) -> None:
    """How many answers changed, and by how much the scores; nothing where no question was asked again."""
    from ..harness.languages.sentences import known_again
    from ..harness.metrics.registry import IN_LM_EVAL, Group, columns_of
    from ..harness.metrics.screening import named
    from ..harness.runs.noise_compared import changed_in_words
    from ..harness.runs.screened import screening_of
    from ..harness.statistics import STRATA
    from ..harness.statistics.verdicts import points

    noise = run.noise
    if noise is None:
        return
    found = noise.overall
    counted = changed_in_words(found.changed, found.asked)
    console.print(say("terminal.again", how=known_again(noise.how, "noise.how."), counted=counted), markup=False)
    shown = [name for name in noise.metrics if name in columns_of(*IN_LM_EVAL, Group.SAFETY)]
    moved = [name for name in shown if any(cell.absolute_mean for cell in noise.metrics[name].values())]
    if not moved:
        console.print(heading("terminal.again_none"), markup=False)
        return
    table = Table(title=heading("terminal.again_table"), title_justify="left")
    table.add_column(heading("terminal.metric"), no_wrap=True)
    present = [stratum for stratum in STRATA if stratum in noise.changed]
    for stratum in present:
        table.add_column(headed(stratum, noise.changed[stratum].asked), justify="right", no_wrap=True)
    screened = screening_of([run])
    for name in moved:
        cells = (_cell(noise.metrics[name].get(stratum)) for stratum in present)
        table.add_row(ours(named(name, screened)), *cells)
    print_table(console, table)
    console.print(heading("terminal.again_read"), markup=False, soft_wrap=True)
    if still := len(shown) - len(moved):
        console.print(say("terminal.again_more", n=still, zero=points(0.0)), markup=False)


def within_noise(compared: Comparison, change: Difference) -> str:
    """A line of its own below a difference that asking again makes as well."""
    return f"\n{say('compare.within')}" if compared.noise.within(change.metric, change.stratum) else ""


def _cell(found: SelfDifference | None) -> str:
    from ..harness.statistics.verdicts import points

    if found is None:
        return "—"
    interval = (
        ""
        if found.low is None or found.high is None
        else f"\n[{points(found.low, '+')}, {points(found.high, '+')}]"
    )
    deviation = "" if found.deviation is None else f" ± {points(found.deviation)}"
    floor = say("terminal.floor", floor="—" if found.floor is None else points(found.floor))
    return f"{points(found.mean, '+')}{interval}\n{points(found.absolute_mean)}{deviation}\n{floor}"
