"""What ``maqa label`` prints: counts, weights and the explanation of one complaint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .words import heading, say, term

if TYPE_CHECKING:
    from ..harness.data.dataset import DatasetInfo
    from ..harness.labelling.quality.stress import StressReport
    from ..harness.labelling.sources.base import SeveritySource
    from ..harness.labelling.sources.rules import Explanation
    from ..harness.labelling.stream import LabelCounts
    from ..harness.labelling.triage.decide import Decision
    from ..harness.labelling.weights import SchemeWeights, WeightDiagnostics

_BAR = 40


def counts_table(info: DatasetInfo, counts: LabelCounts) -> RenderableType:
    """Rows per split and severity, and how they came by it."""
    from ..harness.labelling.sources.base import BY_PEOPLE
    from ..harness.languages.sentences import sentence

    source = info.severity_source
    digest = f" sha256 {source.sha256[:12]}" if source.sha256 else ""
    title = say("label.source", source=f"{source.name} {source.version}{digest}")
    table = Table(title=title, title_justify="left")
    keys = list(next(iter(info.counts.values())))
    table.add_column(heading("label.split"))
    for key in keys:
        table.add_column(term(key), justify="right")
    for split, row in info.counts.items():
        table.add_row(split, *(f"{row[key]:,}" for key in keys))
    by = Table(title=heading("label.by"), title_justify="left")
    for name in ("by_column", "rows", "share"):
        by.add_column(heading(f"label.{name}"), justify="left" if name == "by_column" else "right")
    table.caption, table.caption_justify = say("label.discriminators", words=info.discriminators), "left"
    unknown = sentence(f"label.{'unlabelled' if source.name in BY_PEOPLE else 'prior'}")
    for name, rows in (
        (heading("label.people"), counts.expert),
        (say("label.the_source", name=source.name), counts.source),
        (say("label.unknown", what=unknown), counts.unknown),
        (say("label.letterless", what=unknown), counts.without_letters),
    ):
        by.add_row(name, f"{rows:,}", f"{100 * rows / max(counts.rows, 1):.1f} %")
    return Group(table, by)


def weights_table(weights: WeightDiagnostics, scheme: str) -> RenderableType:
    """The weights' spread, their histogram, and the flat-weights warning."""
    from ..harness.languages.sentences import named_term, severity

    table = Table(title=say("label.weights", scheme=scheme), title_justify="left")
    table.add_column(heading("label.measure"))
    table.add_column(heading("label.value"), justify="right")
    ends = {"low": f"{weights.quantile_05:.3f}", "high": f"{weights.quantile_95:.3f}"}
    for name, value in (
        (heading("label.rows"), f"{weights.rows:,}"),
        (heading("label.mean"), f"{weights.mean:.4f}"),
        (heading("label.cv"), f"{weights.cv:.4f}"),
        (heading("label.quantiles"), heading("label.range").format(**ends)),
        (heading("label.effective"), f"{weights.effective_rows:,.0f}"),
        *(
            (say("label.mean_where", how=named_term(weights.severity_is), severity=severity(each)), f"{mean:.4f}")
            for each, mean in weights.mean_by_severity.items()
        ),
    ):
        table.add_row(name, value)
    tallest = max(*weights.histogram, 1)
    bars = [
        Text(f"{low:.2f}–{high:.2f} {'█' * round(_BAR * rows / tallest):<{_BAR}} {rows:,}")
        for low, high, rows in zip(weights.edges, weights.edges[1:], weights.histogram, strict=False)
    ]
    warning = [Text(say("label.warning", words=weights.warning), style="bold yellow")] if weights.warning else []
    return Group(table, *bars, *warning)


def schemes_table(schemes: Mapping[str, SchemeWeights]) -> RenderableType:
    """What each published scheme makes of the labels."""
    table = Table(title=heading("label.schemes"), title_justify="left")
    table.add_column(heading("label.scheme"))
    for column in ("cv", "effective_sample", "of_rows"):
        table.add_column(heading(f"label.{column}"), justify="right")
    table.add_column("")
    for name, each in schemes.items():
        table.add_row(
            name,
            f"{each.cv:.4f}",
            f"{each.effective_rows:,.0f}",
            f"{100 * each.effective_rows / each.rows:.1f} %",
            heading("label.plain") if each.flat else "",
        )
    return table


def explanation_lines(explanation: Explanation) -> RenderableType:
    """The entries that a complaint touches, what became of each and why; then what follows from them."""
    blocks = []
    for finding in explanation.findings:
        entry = finding.entry
        verdict = f"negated by {finding.negator}" if finding.negator else str(finding.verdict)
        moved = "" if finding.severity is entry.severity else f", moved to {finding.severity}"
        modifiers = f"; heard nearby: {', '.join(finding.modifiers)}" if finding.modifiers else ""
        blocks.append(
            Text(
                f"{finding.words}: {verdict}\n"
                f"  {entry.id} ({entry.gloss}), {entry.severity}{', red flag' if entry.red_flag else ''}{moved}"
                f"{modifiers}\n"
                f"  {', '.join(entry.dialect)}\n"
                f"  {finding.because}"
            )
        )
    low, middle, high = explanation.probabilities
    verdict = "unknown (no entry fires), the stated prior" if explanation.unknown else str(explanation.severity)
    if explanation.decision is not None:
        blocks.append(_decision_lines(explanation.decision))
    return Group(*blocks, Text(f"{verdict}: critical {high:.3f}, neutral {middle:.3f}, non_critical {low:.3f}"))


def _decision_lines(decision: Decision) -> Text:
    """The level of triage and the discriminators behind it, the most urgent first."""
    if decision.level is None:
        return Text("level: none, discriminators: none")
    asks = ", asks a general question" if decision.information else ""
    fired = [
        f"  {each.level} {each.id}: {' … '.join(each.words) or 'no word of its own'}" for each in decision.fired
    ]
    return Text(
        "\n".join([f"level {decision.level}, confidence {decision.confidence:.2f}{asks}; discriminators:", *fired])
    )


def stress_table(report: StressReport) -> RenderableType:
    """One row per way of rewriting: flips, critical recall, mean weight."""
    title = f"{report.source} {report.version}: the same complaints written otherwise (critical by {report.truth})"
    table = Table(title=Text(title), title_justify="left")
    table.add_column("rewriting", no_wrap=True)
    for column in ("rows", "rewritten\n%", "flips %\n95 %", "critical\nrecall %", "mean\nweight"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in report.rows:
        before, after = row.critical_recall_before, row.critical_recall_after
        recall = "no such rows" if before is None or after is None else f"{before:.1f} → {after:.1f}"
        table.add_row(
            Text(row.perturbation),
            f"{row.rows:,}",
            f"{row.changed_text:.0f}",
            f"{row.flips:.1f}\n{row.flips_low:.1f}–{row.flips_high:.1f}",
            recall,
            f"{row.weight_before:.3f}\n{row.weight_change:+.3f}",
        )
    return table


def seen_in_training(source: SeveritySource, info: DatasetInfo) -> str:
    """A warning if the source's classifier was trained on this very data, else an empty text."""
    part = getattr(source, "classifier", source)
    trained = getattr(part, "info", None)
    if trained is None or trained.dataset["train_sha256"] != info.sha256["train"]:
        return ""
    return heading("label.seen")
