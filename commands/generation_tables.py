"""How a run's answers ended, and what sampling does to its scores, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.runs import Run


def print_generation(console: Console, run: Run) -> None:
    """Truncation and length per severity; with several samples per question also the spread of the first metric."""
    from ..harness.generation.finish import finish_summary
    from ..harness.sample_scores import read_generation
    from ..harness.spread import spread

    frame = read_generation(run.path)
    if frame is None:
        return
    table = Table(title="answers", title_justify="left")
    for column in ("severity", "answers", "cut at the limit", "mean tokens"):
        table.add_column(column, justify="left" if column == "severity" else "right")
    for severity, row in finish_summary(frame).items():
        table.add_row(severity, str(row["answers"]), f"{row['truncated_pct']:.1f} %", f"{row['mean_tokens']:.1f}")
    console.print(table)
    if frame["sample"].max() == 0:
        return
    metric = run.scores.metrics[0]
    table = Table(title=f"{metric} over {frame['sample'].max() + 1} samples", title_justify="left")
    for column in ("severity", "mean", "SD of the mean", "SD within", "worst", "best"):
        table.add_column(column, justify="left" if column == "severity" else "right")
    for item in spread(frame, {metric: run.scores.signatures[metric]}):
        numbers = (item.mean, item.sd_of_means, item.sd_within, item.worst, item.best)
        table.add_row(item.stratum, *(f"{number:.2f}" for number in numbers))
    console.print(table)
