"""Terminal tables that several commands print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.runs import Run


def print_summaries(console: Console, run: Run) -> None:
    """One row per stratum of a run, one column per metric: mean and 95 % interval."""
    from ..harness.statistics import STRATA, summarise

    summaries = {(item.metric, item.stratum): item for item in summarise(run.scores)}
    table = Table(title=Text(f"{run.name}: percent, 95 % interval"), title_justify="left")
    table.add_column("severity")
    table.add_column("n", justify="right")
    metrics = run.scores.metrics
    for metric in metrics:
        table.add_column(metric, justify="right")
    for stratum in STRATA:
        cells = [summaries.get((metric, stratum)) for metric in metrics]
        if not any(cells):
            continue
        shown = [
            "—"
            if cell is None
            else f"{cell.mean:.2f}" + ("" if cell.low is None else f"\n{cell.low:.1f} – {cell.high:.1f}")
            for cell in cells
        ]
        table.add_row(stratum, str(max(cell.n for cell in cells if cell)), *shown)
    console.print(table)
    for metric in metrics[:1]:
        console.print(f"{metric}: {run.scores.signatures[metric]}", markup=False, soft_wrap=True)
