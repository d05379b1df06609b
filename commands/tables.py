"""Terminal tables that several commands print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rich.table import Table
from rich.text import Text

from ..harness.core.console_tables import Fitted
from .words import ours, say

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.runs.run import Run
    from ..harness.statistics import Resampling


class _Interval(Protocol):
    @property
    def mean(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def print_table(console: Console, table: Table) -> None:
    """A table at the terminal's width; see ``Fitted`` for what cannot hold it. On a console other than ``Terminal``
    its lines run on: a column that is dropped or cut is a figure that is lost."""
    console.print(Fitted(table, narrows=False), crop=False)


def print_summaries(console: Console, run: Run, resampling: Resampling) -> None:
    """One row per metric of a run, one column per stratum: mean and 95 % interval.

    Similarity and safety stand here; the parts of a finding and the style of the answers are in the report.
    """
    from ..harness.languages.sentences import together
    from ..harness.metrics.bertscore.check import encoder_words
    from ..harness.metrics.beyond import beyond_encoder
    from ..harness.metrics.registry import IN_LM_EVAL, Group, columns_of, left_out
    from ..harness.metrics.screening import in_lines, named
    from ..harness.metrics.true_rates import detections, true_rates
    from ..harness.runs.labels import labels_of
    from ..harness.runs.screened import screening_of
    from ..harness.runs.trained_on import trained_notes
    from ..harness.statistics import STRATA, summarise
    from .true_rates_table import print_true_rates

    columns = columns_of(*IN_LM_EVAL, Group.SAFETY)
    shown = [metric for metric in run.scores.metrics if metric in columns]
    summaries = {(item.metric, item.stratum): item for item in summarise(run.scores, resampling)}
    screened = screening_of([run])
    present = [stratum for stratum in STRATA if any(place == stratum for _, place in summaries)]
    table = Table(title=Text(say("terminal.scores", name=run.name)), title_justify="left")
    table.add_column(say("terminal.metric"), no_wrap=True)
    for stratum in present:
        count = max(item.n for (_, place), item in summaries.items() if place == stratum)
        table.add_column(headed(stratum, count), justify="right", no_wrap=True)
    for metric in shown:
        cells = [summaries.get((metric, stratum)) for stratum in present]
        table.add_row(ours(named(metric, screened)), *(interval_text(cell) for cell in cells))
    print_table(console, table)
    known = detections(run.language, run.scores.signatures)
    rates = true_rates([item for item in summaries.values() if item.metric in shown], known)
    print_true_rates(console, rates, screened)
    for line in in_lines(screened, shown):
        console.print(ours(line), markup=False, style="yellow", soft_wrap=True)
    if more := len(run.scores.metrics) - len(shown):
        line = say("terminal.more_columns", n=more, file=run.scores_file.name)
        console.print(line, markup=False, soft_wrap=True)
    console.print(say("true.severities", words=str(labels_of([run]))), markup=False, soft_wrap=True)
    if words := encoder_words(run.scores):
        console.print(ours(words), markup=False, soft_wrap=True)
    if note := beyond_encoder(run.scores):
        console.print(ours(note), markup=False, style="yellow", soft_wrap=True)
    for line in trained_notes([run]):
        console.print(ours(line), markup=False, style="yellow", soft_wrap=True)
    if run.lacks:
        lacks = say("terminal.lacks", what=together(run.lacks))
        console.print(lacks, markup=False, style="yellow", soft_wrap=True)
    for lack in left_out(run.language):
        console.print(ours(lack), markup=False, style="yellow", soft_wrap=True)
    metric = run.scores.metrics[0]
    console.print(f"{metric}: {run.scores.signatures[metric]}|{resampling}", markup=False, soft_wrap=True)


def headed(place: str, n: int) -> str:
    """The heading of a severity's column: its name over its number of answers."""
    from ..harness.languages.sentences import severity

    return say("terminal.stratum_n", stratum=severity(place), n=n)


def interval_text(cell: _Interval | None) -> str:
    """Mean over interval in two lines; a dash where there is no score."""
    if cell is None or cell.mean != cell.mean:
        return "—"
    return f"{cell.mean:.2f}" + ("" if cell.low is None else f"\n{cell.low:.1f}–{cell.high:.1f}")
