"""What an experiment will train, and how long that takes, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from .words import heading, say

if TYPE_CHECKING:
    from rich.console import Console

    from ..trainers.experiments.config import Experiment
    from ..trainers.experiments.estimate import Estimate
    from ..trainers.experiments.grid import Cell


def plan_table(experiment: Experiment, cells: Sequence[Cell], out: Path) -> Table:
    """One row per base and arm: of how many seeds it is to do, started or done, and how many are evaluated."""
    from ..trainers.experiments.grid import evaluated
    from ..trainers.lm.manifest import Status

    names = {Status.NEW: "new", Status.STOPPED: "stopped", Status.DONE: "done"}
    words = {status: heading(f"plan.{name}") for status, name in names.items()}
    decodings = len(experiment.evaluation.decodings)
    title = say("plan.title", name=experiment.name, n=len(cells), out=out)
    table = Table(title=Text(title), title_justify="left")
    for column in ("base", "arm", "seeds", "training", "evaluated"):
        table.add_column(heading(f"plan.{column}"), overflow="fold")
    for (model, arm), group in groupby(cells, key=lambda cell: (cell.model.name, cell.arm.spec.name)):
        row = list(group)
        found = Counter(words[cell.status] for cell in row)
        table.add_row(
            Text(model),
            Text(arm),
            ", ".join(str(cell.seed) for cell in row) if row[0].arm.spec.arm.trains else "—",
            ", ".join(f"{count} {word}" if len(row) > 1 else word for word, count in found.items()),
            say("plan.of", n=sum(evaluated(experiment, cell.label, out) for cell in row), all=len(row) * decodings),
        )
    counts = [cell.status for cell in cells]
    table.caption = Text(", ".join(f"{counts.count(status)} {word}" for status, word in words.items()))
    table.caption_justify = "left"
    return table


def print_estimate(console: Console, estimate: Estimate) -> None:
    """The work that is still to do, measured here, and the sum of it."""
    table = Table(title=Text(heading("plan.to_do")), title_justify="left")
    for column in ("base", "work"):
        table.add_column(heading(f"plan.{column}"), overflow="fold")
    for column in ("count", "seconds", "hours"):
        table.add_column(heading(f"plan.{column}"), justify="right", no_wrap=True)
    for each in estimate.work:
        table.add_row(
            Text(each.base), Text(each.what), f"{each.count:,}", f"{each.seconds:.2f}", f"{each.hours:.2f}"
        )
    console.print(table)
    console.print(Text(say("plan.estimate", words=str(estimate))), soft_wrap=True)
