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
    table = Table(title=Text(f"{experiment.name} in {out}"), title_justify="left")
    for column in ("base", "arm"):
        table.add_column(column, overflow="fold")
    for state in State:
        table.add_column(state, justify="right")
    for (base, arm), group in groupby(seen, key=_row):
        counts = Counter(each.state for each in group)
        table.add_row(Text(base), Text(arm), *(str(counts[state] or "") for state in State))
    counts = Counter(each.state for each in seen)
    left = hours_left(seen)
    if left is None:
        words = "how long it takes is known when the first cell is done"
    elif counts[State.RUNNING] + counts[State.WAITING]:
        words = f"about {left:.1f} hours left" if left >= 1 else f"about {60 * left:.0f} minutes left"
    else:
        words = "nothing left to do"
    total = ", ".join(f"{counts[state]} {state}" for state in State)
    driver = driver_of(out)
    who = f"driven by {driver}" if driver else "nobody works on it; the same `maqa run` without --status goes on"
    return Group(table, Text(f"{total}; {words}"), Text(who), *_lines(seen))


def _row(seen: Seen) -> tuple[str, str]:
    return (seen.cell.model.name, seen.cell.arm.spec.name) if seen.cell else ("", "trivial systems")


def _lines(seen: list[Seen]) -> Iterator[Text]:
    for each in seen:
        if each.at:
            yield Text(f"{each.label}: {each.at}")
    for each in seen:
        if each.reason:
            yield Text(f"{each.label} failed: {each.reason}", style="yellow")
