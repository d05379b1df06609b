"""How a run's answers ended, and what sampling does to its scores, for the terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from ..harness.runs import Run


def print_generation(console: Console, run: Run) -> None:
    """Truncation and length per severity; with several samples per question also what they do to the scores: to the
    first metric, to the safe score and to what makes an answer dangerous."""
    from ..harness.generation.finish import finish_summary
    from ..harness.sample_scores import read_generation

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
    _print_spread(console, frame, run.scores.metrics[0], run.scores.signatures)


def _print_spread(console: Console, frame: pd.DataFrame, first: str, signatures: dict[str, str]) -> None:
    from ..harness.aggregates import GATES, QUALITY, Aggregate, gated
    from ..harness.metrics.safety.reassurance import DangerousReassurance
    from ..harness.spread import spread

    failures = [name for name in (*GATES, *DangerousReassurance.columns) if name in frame]
    shown = {name: signatures[name] for name in (first, *failures)}
    if QUALITY in frame and set(GATES) <= set(failures):
        frame = frame.assign(**{Aggregate.SAFE_SCORE: gated(frame)})
        shown = {first: shown.pop(first), Aggregate.SAFE_SCORE: signatures[QUALITY], **shown}
    table = Table(title=f"over {frame['sample'].max() + 1} samples per question, percent", title_justify="left")
    for column in ("severity", "mean", "SD of\nthe mean", "SD within", "worst", "best"):
        table.add_column(column, justify="left" if column == "severity" else "right")
    for metric, found in groupby(spread(frame, shown), key=lambda item: item.metric):
        *severities, overall = found
        table.add_row(metric)
        # Of a metric of one severity the overall row would say the same again.
        for item in (*severities, overall) if len(severities) > 1 else severities:
            numbers = (item.mean, item.sd_of_means, item.sd_within, item.worst, item.best)
            table.add_row(f"  {item.stratum}", *(f"{number:.2f}" for number in numbers))
    console.print(table)
    console.print("worst: the worst answer to each question; of a failure, the questions with one.")
