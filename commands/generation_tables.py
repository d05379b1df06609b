"""How a run's answers ended, and what sampling does to its scores, for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from .tables import print_table
from .words import heading, ours, say, term

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from ..harness.runs.run import Run


_NAMED = 5
"""So many of the questions are named."""


def print_generation(console: Console, run: Run) -> None:
    """How the answers of each severity ended; with several samples per question also what they do to the scores: to
    the first metric, to the safe score, and to what fails an answer or a critical question."""
    from ..harness.generation.finish import finish_summary
    from ..harness.runs.samples import read_generation

    frame = read_generation(run.path)
    if frame is None:
        return
    summary = finish_summary(frame)
    table = Table(title=heading("terminal.endings"), title_justify="left")
    shown = _endings(summary["overall"])
    names = (heading(f"terminal.{name}") for name in ("severity", "answers"))
    for place, column in enumerate((*names, *map(term, shown), heading("terminal.mean_tokens"))):
        table.add_column(Text(column), justify="right" if place else "left")
    for severity, row in summary.items():
        shares = (f"{100 * count(row) / row['answers']:.1f} %" for count in shown.values())
        table.add_row(term(severity), str(row["answers"]), *shares, f"{row['mean_tokens']:.1f}")
    print_table(console, table)
    for line in refusals(frame):
        console.print(line, markup=False, soft_wrap=True)
    if frame["sample"].max() == 0:
        return
    _print_spread(console, frame, run)


def _endings(overall: dict[str, Any]) -> dict[str, Callable[[dict[str, Any]], float]]:
    """The columns of the table and how to count each: all ways to end, and what happened at least once besides."""
    cut: dict[str, Callable[[dict[str, Any]], float]] = {
        "cut at the limit": lambda row: row["truncated_pct"] * row["answers"] / 100
    }
    if "end_token" not in overall:
        return cut
    besides = {"run_on_dropped": "run-on question dropped", "thinking": "with thoughts"}
    besides |= {"filtered": "cut by a filter", "errors": "refused"}
    return {
        "end token": lambda row: row["end_token"],
        **{_shown(stop): partial(_stopped, stop) for stop in overall["stops"]},
        **cut,
        **{heading: itemgetter(key) for key, heading in besides.items() if overall[key]},
    }


def refusals(frame: pd.DataFrame) -> list[str]:
    """What a server refused to answer, a line for each of its reasons with the first of the questions."""
    from ..harness.generation.records import FinishReason

    # Runs of earlier versions had no refused answers, and do not name any.
    if "error" not in frame:
        return []
    refused = frame[frame["finish_reason"] == str(FinishReason.ERROR)]
    lines = []
    for words, rows in refused.groupby("error", sort=False):
        ids = list(dict.fromkeys(rows["id"]))
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        lines.append(f"{len(rows)} answers refused: {words} ({', '.join(ids[:_NAMED])}{more})")
    if lines:
        lines.append(
            "A refused answer is scored as an empty one. To ask again: the same command with --retry-refused"
        )
    return lines


def _stopped(stop: str, row: dict[str, Any]) -> int:
    return int(row["stops"].get(stop, 0))


def _shown(stop: str) -> str:
    return "at " + stop.replace("\n", r"\n").replace("\t", r"\t")


def _print_spread(console: Console, frame: pd.DataFrame, run: Run) -> None:
    from ..harness.metrics.aggregates import GATES, QUALITY, Aggregate, gated
    from ..harness.metrics.registry import Group, columns_of
    from ..harness.metrics.screening import named, safe_score_words
    from ..harness.runs.screened import screening_of
    from ..harness.scores.signatures import Better, better, required_severities
    from ..harness.severity import Severity
    from ..harness.statistics.spread import spread

    first, signatures, screened = run.scores.metrics[0], run.scores.signatures, screening_of([run])
    of_critical = [
        name
        for name in columns_of(Group.SAFETY)
        if better(signatures.get(name, "")) is Better.LOWER
        and required_severities(signatures[name]) == {Severity.CRITICAL}
    ]
    failures = [name for name in dict.fromkeys((*GATES, *of_critical)) if name in frame]
    shown = {name: signatures[name] for name in (first, *failures)}
    if QUALITY in frame and set(GATES) <= set(failures):
        frame = frame.assign(**{Aggregate.SAFE_SCORE: gated(frame)})
        shown = {first: shown.pop(first), Aggregate.SAFE_SCORE: signatures[QUALITY], **shown}
    table = Table(title=say("terminal.samples", n=frame["sample"].max() + 1), title_justify="left")
    for name in ("severity", "sample_mean", "sd_of_mean", "sd_within", "worst", "best"):
        table.add_column(heading(f"terminal.{name}"), justify="left" if name == "severity" else "right")
    for metric, found in groupby(spread(frame, shown), key=lambda item: item.metric):
        *severities, overall = found
        table.add_row(ours(named(metric, screened)))
        # Of a metric of one severity the overall row would say the same again.
        for item in (*severities, overall) if len(severities) > 1 else severities:
            numbers = (item.mean, item.sd_of_means, item.sd_within, item.worst, item.best)
            table.add_row(f"  {term(item.stratum)}", *(f"{number:.2f}" for number in numbers))
    print_table(console, table)
    if Aggregate.SAFE_SCORE in shown and (words := safe_score_words(screened)):
        console.print(ours(words), style="yellow", markup=False, soft_wrap=True)
    console.print(heading("terminal.worst_read"))
