"""The per-severity error analysis of a run as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..harness.core.errors import UserError
from ..harness.languages.sentences import sentence
from ..harness.metrics.aggregates import GATES, QUALITY
from ..harness.metrics.bertscore.check import encoder_words
from ..harness.metrics.beyond import beyond_encoder
from ..harness.metrics.registry import Group, columns_of
from ..harness.metrics.screening import RULE, safe_score_words
from ..harness.metrics.true_rates import WORDS
from ..harness.pages import IntervalChart, IntervalRow, interval_chart, render
from ..harness.pages.sheets import write_figures
from ..harness.runs.comparable import anyway_helps, apart, check_metric, or_anyway, refuse_incomplete
from ..harness.runs.comparison import Comparison, compare
from ..harness.runs.declared import EXPLORATORY, Declared
from ..harness.runs.groups import RunGroup, group_of
from ..harness.runs.label_warnings import label_warnings
from ..harness.runs.labels import labels_of
from ..harness.runs.nll_compared import nll_means, nll_tables
from ..harness.runs.provenance import provenance, side_by_side
from ..harness.runs.run import Run
from ..harness.runs.screened import screening_of
from ..harness.runs.seals import changed_words, unsealed_notes
from ..harness.runs.together import of_scores
from ..harness.runs.trained_on import trained_notes
from ..harness.runs.true_severities import ASSUMED, POWERED
from ..harness.scores.findings import spans_note
from ..harness.scores.signatures import Better, better
from ..harness.severity import SEVERITIES
from ..harness.statistics import STRATA, USUAL, Difference, Parts, Resampling, SeedSummary, Summary, summarise_all
from ..harness.statistics.bootstrap import drawn_once
from ..harness.statistics.verdicts import p_in_words
from ..judges.reading import JudgedRuns
from ..judges.tables import Shown, run_scores
from ..ratings.meta_records import Meta, of_people
from .browser.pack import browser_of
from .examples import largest_changes, typical_examples
from .flags import Flagged
from .safety import FORMULAS, safety_of, totals
from .strata import answer_shapes, category_scores
from .triage import triage_strata
from .wrong import fates, wrongs

_TEMPLATES = Path(__file__).parent
_DIRECTION = {Better.HIGHER: 1, Better.LOWER: -1, Better.NEITHER: 0}
_Table = dict[str, dict[str, Summary]]


@drawn_once()
def report_page(
    run: Run | RunGroup,
    against: Run | RunGroup | None = None,
    metric: str = "bertscore_f1",
    resampling: Resampling = USUAL,
    claims: Sequence[str] = (),
    anyway: bool = False,
    judged: tuple[Declared, Comparison] | None = None,
    gold: Path | None = None,
    people: Meta | None = None,
    judge: JudgedRuns | None = None,
    figures: Path | None = None,
    third: Run | None = None,
    chosen: str = "",
) -> str:
    """The page of a run, or of an arm over its trainings; with ``against`` also the paired differences and the
    answers that changed most; ``anyway`` if both differ in more than the model, which then heads the page.

    Of an arm with several trainings the differences are over all of them; texts, scores and safety are shown of
    one, the first that both sides have the seed of. ``claims`` are what the experiment's arms bear out, in words;
    ``judged`` are the tests of a declared analysis and these two sides judged by it, in every declared metric.
    ``gold`` says how right the severities are, by default what travelled with the runs; ``judge`` is a judge's word
    on the runs, which stands under what it is worth. ``figures`` is a folder for the page's pictures as files.
    ``third`` is a run of the same questions that stands in the browser of answers alone; ``chosen`` says why
    ``against`` is the reference (see ``harness.runs.reference``), empty where nobody chose.

    Raises:
        UserError: a run has no scores of the metric, or the two sides cannot be compared.
    """
    ours, theirs = group_of(run), group_of(against) if against else None
    labels = labels_of(_runs(theirs, ours), gold)
    unequal = _check(ours, theirs, third, metric, anyway)
    seed = next((seed for seed in ours.runs if theirs and seed in theirs.runs), None)
    run = ours.runs.get(seed, ours.first)
    against = theirs.runs.get(seed, theirs.first) if theirs else None
    shown = [run, *([against] if against else [])]
    # Together, so that runs of the same answers share their resamples.
    tables = [_table(found) for found in summarise_all([each.scores for each in shown], resampling)]
    summaries, other = tables[0], tables[1] if against else None
    declared, compared = judged or (None, None)
    if theirs and compared is None:
        compared = compare(theirs, ours, [metric], resampling, anyway=anyway, gold=gold)
    screened = screening_of(_runs(ours, theirs))
    changes = [each for each in compared.differences if each.n and each.metric == metric] if compared else []
    chart = _scores_chart(run, summaries, against, other, metric)
    change_chart = _change_chart(changes) if changes else None
    if figures is not None:
        charts = {"scores": (chart, sentence("figures.axis", metric=metric))}
        if change_chart:
            charts["differences"] = (change_chart, sentence("figures.axis_points", metric=metric))
        write_figures(figures, charts)
    beside = [third] if third else []
    ways = wrongs(shown, beside)
    everyone = [*shown, *beside]
    made, common = side_by_side([(each.name, provenance(each)) for each in everyone])
    flagged = [Flagged(each, ways, side).over(run.answers["id"].tolist()) for side, each in enumerate(shown)]
    return render(
        _TEMPLATES,
        "report.html",
        ours_flagged=flagged[0],
        theirs_flagged=flagged[-1],
        fates=fates(ways, screened) if against else [],
        browser=browser_of(everyone, metric, list(screened), ways),
        third=third,
        chosen=chosen,
        made=made,
        common=common,
        run=run,
        ours=ours,
        theirs=theirs,
        compared=compared,
        declared=declared,
        exploratory=EXPLORATORY,
        claims=claims,
        unequal=unequal,
        tampered=changed_words([*_runs(ours, theirs), *beside]),
        trained=[*trained_notes([run]), *unsealed_notes([run])],
        p_in_words=p_in_words,
        questions=of_scores(run, metric),
        safety_changes={
            (each.metric, each.stratum): each for each in (compared.safety.differences if compared else [])
        },
        trainings=_trainings(compared, metric) if compared else [],
        likelihood=nll_means(nll_tables(ours), resampling) if nll_tables(ours) else [],
        nll_changes={each.stratum: each for each in compared.nll.differences} if compared else {},
        labels=labels,
        label_warnings=compared.labels.warnings if compared else label_warnings(list(ours.runs.values())),
        assumed=(ASSUMED, POWERED),
        true_words=WORDS,
        true_changes={(each.metric, each.stratum): each for each in (compared.safety.true if compared else [])},
        language=run.language,
        against=against,
        metric=metric,
        people=of_people(people, metric, run.scores.signatures[metric]),
        encoder=encoder_words(run.scores),
        direction=_DIRECTION[better(run.scores.signatures[metric])],
        strata=[stratum for stratum in STRATA if stratum in summaries[metric]],
        summaries=summaries,
        other=other,
        resampling=resampling,
        usual=USUAL,
        changes={change.stratum: change for change in changes},
        chart=chart,
        change_chart=change_chart,
        style=[each for each in columns_of(Group.STYLE) if each in summaries],
        safety=safety_of(run, against, resampling),
        spans=spans_note(run.scores.findings),
        totals=totals(run, against, resampling),
        screened=screened,
        judge=judge,
        judged=_judged(judge, [each for each in (run, against) if each], resampling),
        rule=RULE,
        safe_score_words=safe_score_words(screened),
        formulas=FORMULAS,
        similarity=[each for each in summaries if each not in columns_of(Group.SAFETY, Group.PART, Group.STYLE)],
        shapes=answer_shapes(run),
        categories=category_scores(run, metric),
        triage=triage_strata(run, against, metric),
        notes={each.name: note for each in (run, against) if each and (note := beyond_encoder(each.scores))},
        changed=largest_changes(run, against, metric) if against else {},
        examples={str(severity): typical_examples(run, metric, severity) for severity in SEVERITIES},
    )


def _judged(judge: JudgedRuns | None, runs: Sequence[Run], resampling: Resampling) -> Shown | None:
    """A judge's scores of the runs that are shown, and what they stand on."""
    if judge is None:
        return None
    rows = [(run.name, judge.summaries(run.name, resampling)) for run in runs]
    measured = bool(judge.judgement.people or judge.judgement.gold)
    return run_scores(judge.heading, [row for row in rows if row[1]], judge.agreement, measured)


def _runs(*groups: RunGroup | None) -> list[Run]:
    return [run for group in groups if group for run in group.runs.values()]


def _check(ours: RunGroup, theirs: RunGroup | None, third: Run | None, metric: str, anyway: bool) -> list[str]:
    """What the runs differ in beside the model, which is an error unless ``anyway``."""
    runs = [*_runs(theirs, ours), *([third] if third else [])]
    for run in runs:
        check_metric(run, metric)
    if len(runs) > 1:
        refuse_incomplete(*runs)
    unequal = apart(runs)
    signed = [metric, *(each for each in (QUALITY, *GATES) if all(each in run.scores.metrics for run in runs))]
    if unequal and not (anyway and anyway_helps(runs, signed)):
        remedy = f"Report each on its own{or_anyway(runs, signed)}"
        raise UserError(f"the runs cannot be compared: {unequal[0]}", remedy)
    return unequal


def _trainings(
    compared: Comparison, metric: str
) -> list[tuple[str, SeedSummary | None, SeedSummary | None, Parts]]:
    """Per stratum both sides over their trainings, and what their difference owes to each level."""
    if not any(compared.seeds):
        return []
    first, second = ({each.stratum: each for each in side if each.metric == metric} for side in compared.seeds)
    parts = [part for part in compared.parts if part.metric == metric]
    return [(part.stratum, second.get(part.stratum), first.get(part.stratum), part) for part in parts]


def _table(found: Sequence[Summary]) -> _Table:
    table: _Table = {}
    for summary in found:
        if not summary.n:
            continue
        table.setdefault(summary.metric, {})[summary.stratum] = summary
    return table


def _scores_chart(
    run: Run, summaries: _Table, against: Run | None, other: _Table | None, metric: str
) -> IntervalChart:
    rows = []
    tables = [(each, table[metric]) for each, table in ((against, other), (run, summaries)) if each and table]
    for stratum in STRATA:
        for each, table in tables:
            if summary := table.get(stratum):
                kind = stratum if each is run else "muted"
                label = f"{stratum.replace('_', '-')} · {each.name}" if against else stratum.replace("_", "-")
                rows.append(IntervalRow(label, summary.mean, summary.low, summary.high, kind))
    return interval_chart(sentence("figures.scores", metric=metric), rows)


def _change_chart(changes: list[Difference]) -> IntervalChart:
    rows = [
        IntervalRow(change.stratum.replace("_", "-"), change.mean, change.low, change.high, change.stratum)
        for change in changes
    ]
    return interval_chart(sentence("figures.changes"), rows, zero=True)
