"""How far an experiment is, as a table that follows it while it runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .words import heading, say, term

if TYPE_CHECKING:
    from ..trainers.execution.progress import Seen
    from ..trainers.experiments.config import Experiment

_EVERY_S = 2.0


def show_status(console: Console, experiment: Experiment, out: Path) -> None:
    """Print the table; on a terminal renew it as long as somebody works on the experiment."""
    from ..trainers.execution.grid import driver_of

    if not (console.is_terminal and driver_of(out)):
        for part in _status(experiment, out).renderables:
            console.print(part, soft_wrap=isinstance(part, Text))
        return
    with Live(_status(experiment, out), console=console, auto_refresh=False) as live:
        try:
            while driver_of(out):
                time.sleep(_EVERY_S)
                live.update(_status(experiment, out), refresh=True)
        except KeyboardInterrupt:
            # Only the looking ends.
            return


def _status(experiment: Experiment, out: Path) -> Group:
    from ..trainers.execution.grid import driver_of
    from ..trainers.execution.progress import hours_left, look
    from ..trainers.execution.status import State

    seen = look(experiment, out)
    table = Table(title=Text(say("status.title", name=experiment.name, out=out)), title_justify="left")
    for column in ("base", "arm"):
        table.add_column(heading(f"plan.{column}"), overflow="fold")
    for state in State:
        table.add_column(term(state), justify="right")
    for (base, arm), group in groupby(seen, key=_row):
        counts = Counter(each.state for each in group)
        table.add_row(Text(base), Text(arm), *(str(counts[state] or "") for state in State))
    counts = Counter(each.state for each in seen)
    left = hours_left(seen)
    if left is None:
        words = heading("status.unknown")
    elif counts[State.RUNNING] + counts[State.WAITING]:
        long = left >= 1
        words = say("status.hours", n=f"{left:.1f}") if long else say("status.minutes", n=f"{60 * left:.0f}")
    else:
        words = heading("status.nothing")
    total = heading("list.comma").join(f"{counts[state]} {term(state)}" for state in State)
    driver = driver_of(out)
    who = say("status.driven", driver=driver) if driver else heading("status.nobody")
    return Group(table, Text(f"{total}{heading('list.separator')}{words}"), Text(who), *_lines(seen))


def _row(seen: Seen) -> tuple[str, str]:
    return (seen.cell.model.name, seen.cell.arm.spec.name) if seen.cell else ("", heading("status.trivial"))


def _lines(seen: list[Seen]) -> Iterator[Text]:
    for each in seen:
        if each.at:
            yield Text(say("status.at", cell=each.label, at=each.at))
    for each in seen:
        if each.reason:
            yield Text(say("status.failed", cell=each.label, why=each.reason), style="yellow")
