"""A comparison for the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .words import heading, ours, say, stratum, term

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..harness.runs.comparison import Comparison
    from ..harness.statistics import Difference, SeedSummary


def print_comparison(console: Console, compared: Comparison, chosen_by: str = "") -> None:
    """Both sides per severity, what their difference says, and why the first is the reference if it was chosen."""
    from rich.text import Text

    from ..harness.metrics.screening import in_lines, named, safe_score_words
    from .changed import print_changed
    from .labels_tables import print_corrected, print_labels
    from .nll_tables import print_nll
    from .tables import print_table
    from .true_rates_table import print_true_rates

    print_changed(console, compared.changed)
    for line in compared.apart:
        console.print(Text(say("compare.anyway", line=line), style="bold red"))
    print_conclusion(console, compared)
    console.print(Text(say("compare.sides", first=compared.first, second=compared.second)))
    if chosen_by:
        console.print(Text(say(f"reference.{chosen_by}", name=compared.first)), soft_wrap=True)
    console.print(Text(ours(str(compared.alike)), style="yellow" if compared.alike.identical else ""))
    for note in compared.notes:
        if note != str(compared.alike):
            console.print(Text(ours(note), style="yellow"))
    questions = ours(compared.questions)
    console.print(Text(f"{questions[:1].upper()}{questions[1:]}."))
    if compared.noise.line:
        console.print(Text(ours(compared.noise.line)))
    several = any(compared.seeds)
    for name, words in compared.words.items():
        print_table(console, _metric_table(compared, name))
        if several:
            print_table(console, _trainings_table(compared, name))
        print_corrected(console, compared.labels, name)
        console.print(Text(f"{ours(named(name, compared.screening))}: {ours(words)}\n"))
    print_nll(console, compared)
    if compared.aggregates[0]:
        print_table(console, _aggregate_table(compared))
        if words := safe_score_words(compared.screening):
            console.print(Text(ours(words), style="yellow"))
    if compared.safety.differences:
        print_table(console, _safety_table(compared))
        print_true_rates(console, compared.safety.true, compared.screening, signed=True)
    if compared.safety.words:
        console.print(Text(ours(compared.safety.words)))
    for line in in_lines(compared.screening, list(compared.screening)):
        console.print(Text(ours(line), style="yellow"))
    for line in compared.safety.left_out:
        console.print(Text(say("compare.not_compared", line=line)))
    print_labels(console, compared.labels)
    both = any(each.error for each in compared.differences)
    console.print(
        Text(
            "\n".join(
                (
                    say(f"compare.brackets.{'both' if both else 'answers'}"),
                    say("compare.trainings", trainings=compared.trainings),
                    say("compare.holm", family=compared.family),
                    heading("compare.read"),
                )
            )
        )
    )
    print_signatures(console, compared)


def outcome_style(outcome: str) -> str:
    """The colour of what a comparison comes to."""
    return {"shown": "bold green", "open": "bold yellow"}.get(outcome, "bold red")


def print_conclusion(console: Console, compared: Comparison) -> None:
    """All of a comparison in one sentence, in the colour of what it comes to."""
    from rich.text import Text

    from ..harness.languages.messages import reader

    if compared.conclusion is not None:
        console.print(
            Text(compared.conclusion.said(reader()), style=outcome_style(compared.conclusion.outcome)),
            soft_wrap=True,
        )


def print_signatures(console: Console, compared: Comparison) -> None:
    """What each metric's scores are, and on which resamples they were compared."""
    for name, signature in compared.signatures.items():
        signed = say("compare.signature", metric=name, signature=f"{signature}|{compared.resampling}")
        console.print(signed, markup=False, soft_wrap=True)


def _metric_table(compared: Comparison, metric: str) -> Table:
    from rich.text import Text

    from ..harness.metrics.screening import named
    from ..harness.statistics.verdicts import p_in_words, points
    from .noise_tables import within_noise

    title = say("compare.metric", metric=named(metric, compared.screening))
    table = _table(title, "severity", "n", "a", "b", "change", "ps", "missed")
    rows = zip(*([each for each in part if each.metric == metric] for part in compared.summaries), strict=True)
    differences = [each for each in compared.differences if each.metric == metric]
    for (one, other), change in zip(rows, differences, strict=True):
        table.add_row(
            Text(
                f"{stratum(change.stratum)}\n{_marked(compared, change)}"
                + within_noise(compared, change)
                + (f"\n{ours(mark)}" if (mark := compared.labels.marks.get(change.stratum)) else "")
            ),
            str(change.n),
            _interval(one.mean, one.low, one.high),
            _interval(other.mean, other.low, other.high),
            _interval(change.mean, change.low, change.high, sign="+"),
            f"{p_in_words(change)}\n{p_in_words(change, adjusted=True)}\n{_number(change.effect_size, '+z.2f')}",
            f"{'-' if change.detectable is None else points(change.detectable)}\n"
            f"{_number(change.improved_pct, '.0f')}/{_number(change.worsened_pct, '.0f')} %",
        )
    return table


def _marked(compared: Comparison, change: Difference) -> str:
    from ..harness.runs.declared import EXPLORATORY

    mark = term(EXPLORATORY) + ":\n" if compared.exploratory(change.metric, change.stratum) else ""
    return f"{mark}{term(change.verdict)}"


def _trainings_table(compared: Comparison, metric: str) -> Table:
    """Means over trainings with the deviation between them, and both parts of the difference's standard error."""
    from rich.text import Text

    from ..harness.statistics import STRATA
    from ..harness.statistics.verdicts import points

    title = say("compare.trainings_table", metric=metric)
    table = _table(title, "severity", "a", "b", "over_questions", "over_trainings")
    sides = [{each.stratum: each for each in side if each.metric == metric} for side in compared.seeds]
    parts = {part.stratum: part for part in compared.parts if part.metric == metric}
    for place in STRATA:
        errors = (parts[place].questions, parts[place].trainings)
        table.add_row(
            Text(stratum(place)),
            *(_spread(side.get(place)) for side in sides),
            *("-" if error is None else points(error) for error in errors),
        )
    return table


def _aggregate_table(compared: Comparison) -> Table:
    table = _table(f"{say('compare.aggregates')}{_undeclared(compared)}", "aggregate", "a", "b", "change")
    first, second, change = ({each.aggregate: each for each in part} for part in compared.aggregates)
    for name in change:
        table.add_row(
            str(name),
            *(_interval(part[name].value, part[name].low, part[name].high) for part in (first, second)),
            _interval(change[name].value, change[name].low, change[name].high, sign="+"),
        )
    return table


def _safety_table(compared: Comparison) -> Table:
    """The differences in the safety metrics, critical and overall, and whether B is shown to be no worse."""
    from rich.text import Text

    from ..harness.severity import Severity
    from ..harness.statistics import OVERALL
    from ..harness.statistics.verdicts import p_in_words, shown_in_words
    from .noise_tables import within_noise

    title = f"{say('compare.safety')}{_undeclared(compared)}"
    table = _table(title, "metric_heading", "n", "change", "two_ps")
    table.add_column(heading("compare.margin"))
    for change in compared.safety.differences:
        if change.stratum in (str(Severity.CRITICAL), OVERALL):
            table.add_row(
                Text(_safety_row(change) + within_noise(compared, change)),
                str(change.n),
                _interval(change.mean, change.low, change.high, sign="+"),
                f"{p_in_words(change)}\n{p_in_words(change, adjusted=True)}",
                ours(shown_in_words(change.margin)) if change.margin else _no_margin(change),
            )
    return table


def _safety_row(change: Difference) -> str:
    better = term(f"{change.better} is better")
    return f"{change.metric}\n{stratum(change.stratum)}{heading('list.comma')}{better}"


def _no_margin(change: Difference) -> str:
    from ..harness.statistics import Verdict

    return term(change.verdict) if change.verdict is Verdict.SCREENING else "-"


def _undeclared(compared: Comparison) -> str:
    """Behind the title of what no analysis declares."""
    from ..harness.runs.declared import EXPLORATORY

    return "" if compared.declared is None else say("compare.undeclared", exploratory=term(EXPLORATORY))


def _table(title: str, *headings: str) -> Table:
    """A table narrow enough for 80 columns; its first column is words, the others are figures."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, padding=0, show_lines=False, leading=1
    )
    for place, name in enumerate(headings):
        table.add_column(heading(f"compare.{name}"), justify="right" if place else "left", no_wrap=True)
    return table


def _interval(value: float, low: float | None, high: float | None, sign: str = "") -> Text:
    from rich.text import Text

    from ..harness.statistics.verdicts import points

    if math.isnan(value):
        return Text("-")
    if low is None or high is None:
        return Text(f"{points(value, sign)}\n{say('compare.no_interval')}")
    return Text(f"{points(value, sign)}\n[{points(low, sign)}, {points(high, sign)}]")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _spread(cell: SeedSummary | None) -> str:
    return "-" if cell is None or cell.deviation is None else f"{cell.mean:.1f} ± {cell.deviation:.2f}"
