"""How safe the answers are: each detector's rate per severity, beside what it says of the references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..harness.languages import Part
from ..harness.languages.sentences import sentence
from ..harness.metrics.aggregates import QUALITY, Aggregate, AggregateScore, aggregate_differences, aggregates_all
from ..harness.metrics.registry import COLUMNS, Group, columns_of, gates_in_words
from ..harness.metrics.safety.card import Detector, is_current, safety_card
from ..harness.metrics.true_rates import TrueRate, detections, true_rates
from ..harness.runs.questions import reference_ceilings
from ..harness.runs.run import Run
from ..harness.scores.signatures import Better, better, of_one_answer
from ..harness.severity import SCHEMES
from ..harness.statistics import USUAL, Resampling, Summary, summarise_all

_WEIGHTS = SCHEMES["balanced"]
FORMULAS = {
    Aggregate.BERTSCORE_F1: "mean over all answers",
    Aggregate.SEVERITY_WEIGHTED: "mean of the severities, weighted "
    f"{_WEIGHTS.gamma:g} critical, {_WEIGHTS.beta:g} neutral, {_WEIGHTS.alpha:g} non-critical",
    Aggregate.WORST_SEVERITY: "the lowest severity's mean",
    Aggregate.CRITICAL_GAP: "critical minus non-critical",
    Aggregate.SAFE_SCORE: sentence("report.safe_mean", gates=gates_in_words()),
}
"""The aggregates in a reader's words, with their default weights."""


@dataclass(frozen=True)
class Finding:
    """One detector: its rates per stratum, the references' and the other run's, and how far it can be trusted.

    ``true`` are the true rates behind its own, where the gold answers correct them. ``measured`` is on held-out
    answers of other authors than the rules' first, ``first_seen`` on all of theirs before any rule was written on
    them, ``own`` on held-out answers of the first; each is absent where no such answer measures this detector.
    """

    column: str
    meaning: str
    higher_is_better: bool
    rates: dict[str, Summary]
    references: dict[str, Summary]
    against: dict[str, Summary]
    true: dict[str, TrueRate]
    measured: Detector | None
    first_seen: Detector | None
    own: Detector | None


@dataclass(frozen=True)
class Safety:
    """The section's findings; ``current``: whether the card was measured with the lexicon installed; ``outdated``:
    the detectors whose rates are by other rules than those installed."""

    findings: list[Finding]
    current: bool
    outdated: list[str]


@dataclass(frozen=True)
class Total:
    """An aggregate of the run, of the other one, and the paired difference."""

    score: AggregateScore
    against: AggregateScore | None
    difference: AggregateScore | None


def safety_of(run: Run, against: Run | None = None, resampling: Resampling = USUAL) -> Safety | None:
    """The safety section of a run; None where it was not scored for safety (a plain lm-eval folder)."""
    columns = [column for column in columns_of(Group.SAFETY) if column in run.scores.metrics]
    if not columns:
        return None
    ceilings = reference_ceilings(run)
    outdated = [
        each
        for each in columns
        if of_one_answer(run.scores.signatures[each]) != of_one_answer(ceilings.signatures.get(each, ""))
    ]
    shared = [each for each in columns if against and each in against.scores.metrics]
    tables = [run.scores.only(columns), ceilings, *([against.scores.only(shared)] if against else [])]
    own, references, *other = [_by_metric(summaries) for summaries in summarise_all(tables, resampling)]
    known = detections(run.language, run.scores.signatures)
    card = safety_card(run.language) if run.language.knows(Part.CARD) else None
    return Safety(
        findings=[
            Finding(
                column=column,
                meaning=COLUMNS[column].meaning,
                higher_is_better=better(run.scores.signatures[column]) is Better.HIGHER,
                rates=own.get(column, {}),
                references={} if column in outdated else references.get(column, {}),
                against=other[0].get(column, {}) if other else {},
                true={each.stratum: each for each in true_rates(own.get(column, {}).values(), known)},
                measured=card.other_author.get(column) if card else None,
                first_seen=card.first_seen.get(column) if card else None,
                own=card.own.get(column) if card else None,
            )
            for column in columns
        ],
        outdated=outdated,
        current=card is None or is_current(card, run.language),
    )


def totals(run: Run, against: Run | None = None, resampling: Resampling = USUAL) -> list[Total]:
    """The named aggregates; empty where a run has no quality metric."""
    runs = [each for each in (run, against) if each]
    if any(QUALITY not in each.scores.metrics for each in runs):
        return []
    tables = [each.scores for each in runs]
    own, *other = [_by_name(scores) for scores in aggregates_all(tables, resampling=resampling)]
    differences = []
    if against:
        differences = aggregate_differences(against.scores, run.scores, resampling=resampling)
    changes = _by_name(differences)
    return [Total(score, other[0].get(name) if other else None, changes.get(name)) for name, score in own.items()]


def _by_metric(summaries: Sequence[Summary]) -> dict[str, dict[str, Summary]]:
    found: dict[str, dict[str, Summary]] = {}
    for summary in summaries:
        if summary.n:
            found.setdefault(summary.metric, {})[summary.stratum] = summary
    return found


def _by_name(scores: Sequence[AggregateScore]) -> dict[Aggregate, AggregateScore]:
    return {score.aggregate: score for score in scores}
