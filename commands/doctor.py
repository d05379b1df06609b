"""``maqa doctor``."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .app import app


@app.command()
def doctor() -> None:
    """Say what is installed, reachable and missing.

    Each line has its remedy; fails only if something is broken.
    """
    from ..harness.doctor import State, examine
    from ..tasks.register import is_registered, stub_folder

    findings = list(examine(stub_folder() if is_registered() else None))
    marks = {State.FINE: Text("ok"), State.MISSING: Text("-"), State.BROKEN: Text("BROKEN", style="bold red")}
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in findings:
        table.add_row(marks[finding.state], Text(finding.name), Text(finding.detail))
        if finding.remedy:
            table.add_row("", "", Text(f"→ {finding.remedy}", style="dim"))
    Console(highlight=False).print(table)
    if any(finding.state is State.BROKEN for finding in findings):
        raise typer.Exit(1)
