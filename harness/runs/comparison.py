"""Two runs or arms side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..languages.sentences import run_on, sentence, severity, together
from ..metrics.aggregates import GATES, QUALITY, AggregateScore, aggregate_differences, aggregates
from ..metrics.registry import Group, columns_of
from ..scores.table import ScoreTable
from ..statistics import (
    OVERALL,
    USUAL,
    ArmsCompared,
    Difference,
    Interaction,
    Parts,
    Resampling,
    SeedSummary,
    Summary,
    Verdict,
    across_seeds,
    alone,
    averaged,
    check_scores,
    compare_groups,
    in_words,
    interactions,
    paired_all,
    summarise_all,
)
from ..statistics.margins import Margin
from .alike import Alike, alike, as_expected, same_answers
from .claim import BASELINE, CLAIMED, named
from .comparable import anyway_helps, apart, chosen_of, or_anyway, refuse_incomplete
from .conclusion import Conclusion, conclude, levels_of
from .conditions import stopped_notes
from .groups import RunGroup, group_of
from .labels import labels_of
from .margins import margins_of
from .nll_compared import NllCompared, compare_nll
from .noise_compared import NoiseCompared, joined, noise_of
from .run import Run
from .safety import SafetyCompared, compare_safety
from .screened import compare_screened, screening_of
from .seals import changed_words, contents, unsealed_notes
from .together import of_differences
from .trained_on import trained_notes
from .true_severities import LabelsCompared, compare_true

_NONE: tuple[list[AggregateScore], list[AggregateScore], list[AggregateScore]] = ([], [], [])


@dataclass(frozen=True)
class Comparison:
    """Two runs, or two arms over their trainings, side by side: what ``maqa compare``, a board's ranks and seeds, a
    report and ``maqa run`` all say of them.

    Attributes:
        first, second: their names; every difference is second minus first.
        family: the tests that Holm's adjustment is over.
        words: one verdict per metric.
        trainings: how many trainings stand behind it, in words.
        trained: how many trainings of each side were compared.
        differences: four strata per metric, judged.
        parts: what each difference owes to the questions and to the trainings.
        summaries: of both, with intervals over questions; of an arm with several trainings, of each question's mean
            over them. Empty where only the differences were asked for.
        seeds: of both, over their trainings; empty for a single one.
        aggregates: of both and their differences; only of single runs, and where ``bertscore_f1`` is compared.
        signatures: one per metric.
        alike: how many answers are the same, over all pairs of trainings.
        notes: which runs no answer tells apart.
        safety: the safety metrics that both were scored by, judged for being no worse.
        apart: what both differ in beside the model, a line each, if they were compared anyway.
        changed: which runs were changed after they were written, a line each, if they were taken anyway.
        contents: by sealed run, the digest of the answers and scores that this was made from.
        interactions: one per metric: whether critical changes by more than non_critical; not of single pairs of a
            board.
        questions: which of them belong together, and what that costs, in words.
        noise: how large a difference asking the engines again makes by itself.
        screening: which compared metrics and detectors are for screening only, and why: they have no verdict and no
            place in a family.
        declared: metric and stratum of what a declared analysis tests; None where none was declared.
        labels: who decided the severities, and the differences per true severity where that is known.
        conclusion: all of it in one sentence, by the first metric; None where safety was not compared.
        nll: the same of the references' likelihood, where it was measured; a family of its own.
    """

    first: str
    second: str
    family: str
    words: dict[str, str]
    trainings: str
    differences: list[Difference]
    parts: list[Parts]
    signatures: dict[str, str]
    resampling: Resampling
    alike: Alike
    notes: list[str]
    summaries: tuple[list[Summary], list[Summary]] = ([], [])
    seeds: tuple[list[SeedSummary], list[SeedSummary]] = ([], [])
    aggregates: tuple[list[AggregateScore], list[AggregateScore], list[AggregateScore]] = _NONE
    trained: tuple[int, int] = (1, 1)
    safety: SafetyCompared = dataclasses.field(default_factory=SafetyCompared)
    apart: list[str] = dataclasses.field(default_factory=list)
    changed: list[str] = dataclasses.field(default_factory=list)
    contents: dict[str, str] = dataclasses.field(default_factory=dict)
    interactions: list[Interaction] = dataclasses.field(default_factory=list)
    noise: NoiseCompared = dataclasses.field(default_factory=NoiseCompared)
    questions: str = ""
    declared: list[tuple[str, str]] | None = None
    labels: LabelsCompared = dataclasses.field(default_factory=LabelsCompared)
    screening: dict[str, str] = dataclasses.field(default_factory=dict)
    conclusion: Conclusion | None = None
    nll: NllCompared = dataclasses.field(default_factory=NllCompared)

    @property
    def metrics(self) -> list[str]:
        """What was compared."""
        return list(self.words)

    def difference(self, metric: str, stratum: str) -> Difference:
        """One difference."""
        return next(each for each in self.differences if (each.metric, each.stratum) == (metric, stratum))

    def exploratory(self, metric: str, stratum: str) -> bool:
        """Whether an analysis was declared, and not this test of it."""
        return self.declared is not None and (metric, stratum) not in self.declared

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        whether = [each.as_json() for each in self.interactions]
        found = {**dataclasses.asdict(self), "resampling": self.resampling.model_dump(), "interactions": whether}
        if self.declared is None:
            del found["declared"]
        if self.conclusion is not None:
            found["conclusion"] |= self.conclusion.as_json()
        return found


def compare(
    first: Run | RunGroup,
    second: Run | RunGroup,
    metrics: Sequence[str] = (QUALITY,),
    resampling: Resampling = USUAL,
    pair_seeds: bool = True,
    margins: Mapping[str, float | Margin] | None = None,
    anyway: bool = False,
    gold: Path | None = None,
) -> Comparison:
    """Compare two runs answer by answer, or two arms over their trainings.

    Args:
        first: the run or arm that is subtracted.
        second: the one that it is subtracted from.
        metrics: the declared family: every severity of every one of these.
        resampling: of the bootstrap and the random signs.
        pair_seeds: False to take equal seeds of both arms as having nothing in common.
        margins: by metric, in percentage points: what differences are judged against; by default safety's alone.
        anyway: whether to compare what differs in more than the model, and say so. Runs of other questions,
            severities or signatures are refused all the same.
        gold: how right the severities are: report cards or people's labels; by default what travelled with the
            runs.

    Raises:
        UserError: a run lacks answers; the runs differ in answers, data, prompt, decoding, backend, conditions of
            training or a metric's signature (the difference is named), or their scores cannot be used; or the gold
            is of other severities (see ``labels_of``).
    """
    metrics = list(dict.fromkeys(metrics))
    one, other = group_of(first), group_of(second)
    runs = [*one.runs.values(), *other.runs.values()]
    refuse_incomplete(*runs)
    for run in runs:
        check_scores(run.scores, str(run.path))
        chosen_of(run, metrics)
    signed = [*metrics, *(GATES if QUALITY in metrics else ())]
    unequal = apart(runs, signed)
    if unequal and not (anyway and anyway_helps(runs, signed)):
        raise UserError(unequal[0], f"Compare runs that differ in the model alone{or_anyway(runs, signed)}")
    labels = labels_of(runs, gold)
    margins = {**margins_of((), metrics), **(margins or {})}
    known = screening_of(runs)
    made = compare_screened(one.tables, other.tables, metrics, resampling, pair_seeds, margins, known)
    tables = [
        [chosen_of(group.runs[seed], metrics) for seed in used]
        for group, used in zip((one, other), made.seeds, strict=True)
    ]
    summaries = summarise_all([averaged(each) for each in tables], resampling)
    seeds = [across_seeds(each, resampling) if len(each) > 1 else [] for each in tables]
    aggregated = QUALITY in metrics and len(runs) == 2
    measured = [each for each in metrics if each not in known]
    whether = interactions(one.tables, other.tables, measured, resampling, pair_seeds) if measured else []
    compared = _comparison(one, other, made, metrics, resampling, whether)
    safety = compare_safety(one, other, compared.differences, resampling, margins, known)
    by_seed = pair_seeds and made.seeds[0] == made.seeds[1]
    noise = joined(compared.noise, noise_of(_used(one, other, made), safety.differences))
    return dataclasses.replace(
        compared,
        summaries=(summaries[0], summaries[1]),
        seeds=(seeds[0], seeds[1]),
        aggregates=_aggregates(runs[0].scores, runs[1].scores, resampling) if aggregated else _NONE,
        safety=safety,
        noise=noise,
        apart=unequal,
        changed=changed_words(runs),
        contents=contents(runs),
        labels=compare_true((one, other), tables, compared.differences, by_seed, labels, resampling),
        screening={each: known[each] for each in (*metrics, *columns_of(Group.SAFETY)) if each in known},
        conclusion=_concluded(compared, noise, safety, (one, other), _used(one, other, made)),
        nll=compare_nll(one, other, resampling, pair_seeds),
    )


def _concluded(
    compared: Comparison,
    noise: NoiseCompared,
    safety: SafetyCompared,
    groups: tuple[RunGroup, RunGroup],
    used: Sequence[Sequence[Run]],
) -> Conclusion:
    metric = compared.metrics[0]
    own = [each for each in compared.differences if each.metric in columns_of(Group.SAFETY)]
    changes = [*own, *safety.differences]
    first, second = (group.arm or "" for group in groups)
    return conclude(
        (compared.first, compared.second),
        compared.trained,
        compared.difference(metric, OVERALL),
        next((each for each in compared.interactions if each.metric == metric), None),
        changes,
        levels_of(used, changes),
        arms=bool(first and second),
        within_noise=noise.within(metric, OVERALL),
        controls=() if named(first, BASELINE) and named(second, CLAIMED) else None,
    )


def compare_arms(
    first: RunGroup, second: RunGroup, metric: str, resampling: Resampling = USUAL, safety: bool = False
) -> Comparison:
    """Compare two arms in one metric, without summaries and aggregates; with ``safety`` also concluded.

    Raises:
        UserError: their scores cannot be compared. Whatever else the runs may differ in is not looked at.
    """
    made = compare_groups(first.tables, second.tables, [metric], resampling)
    whether = interactions(first.tables, second.tables, [metric], resampling)
    compared = _comparison(first, second, made, [metric], resampling, whether)
    if not safety:
        return compared
    known = screening_of([*first.runs.values(), *second.runs.values()])
    found = compare_safety(first, second, compared.differences, resampling, margins_of((), [metric]), known)
    used = _used(first, second, made)
    conclusion = _concluded(compared, compared.noise, found, (first, second), used)
    return dataclasses.replace(compared, safety=found, conclusion=conclusion)


def compare_all(
    leader: Run, others: Sequence[Run], metric: str, resampling: Resampling = USUAL
) -> list[Comparison]:
    """As ``compare_arms`` of single runs: several with one, on shared resamples."""
    found = paired_all(leader.scores, [run.scores for run in others], [metric], resampling)
    one = group_of(leader)
    return [
        _comparison(one, group_of(run), alone(changes), [metric], resampling)
        for run, changes in zip(others, found, strict=True)
    ]


def _comparison(
    first: RunGroup,
    second: RunGroup,
    made: ArmsCompared,
    metrics: Sequence[str],
    resampling: Resampling,
    whether: Sequence[Interaction] = (),
) -> Comparison:
    runs = {id(run): run for group in (first, second) for run in group.runs.values()}
    same = _alike(first, second)
    changes = made.differences
    moved = any(each.improved_pct or each.worsened_pct for each in changes)
    if same.identical and not moved and not as_expected(list(runs.values())):
        changes = [dataclasses.replace(each, verdict=Verdict.SAME_ANSWERS) for each in changes]
    tested = [each for each in changes if each.stratum != OVERALL and each.can_be_tested]
    trained = [len(each) for each in made.seeds]
    noise = noise_of(_used(first, second, made), changes)
    subject = _subject(first, second, trained)
    return Comparison(
        first=first.name,
        second=second.name,
        family=_family(tested),
        words={
            metric: run_on(
                subject,
                together(
                    [
                        _words([each for each in changes if each.metric == metric], same),
                        *(str(each) for each in whether if each.metric == metric and str(each)),
                    ]
                ),
                "" if same.identical else noise.in_words(metric),
            )
            for metric in metrics
        },
        trainings=made.trainings,
        differences=changes,
        parts=made.parts,
        signatures={metric: first.first.scores.signatures[metric] for metric in metrics},
        resampling=resampling,
        alike=same,
        notes=[
            *same_answers(list(runs.values())),
            *trained_notes(list(runs.values())),
            *stopped_notes(list(runs.values())),
            *unsealed_notes(runs.values()),
        ],
        trained=(trained[0], trained[1]),
        interactions=list(whether),
        noise=noise,
        questions=of_differences(list(runs.values()), changes, metrics[0]),
    )


def _alike(first: RunGroup, second: RunGroup) -> Alike:
    """Counted over the pairs of one seed where there are any, else over all pairs."""
    common = [seed for seed in first.runs if seed in second.runs]
    pairs = [(first.runs[seed], second.runs[seed]) for seed in common]
    found = [alike(*pair) for pair in pairs or product(first.runs.values(), second.runs.values())]
    return Alike(first.name, second.name, sum(each.n for each in found), sum(each.same for each in found))


def _subject(first: RunGroup, second: RunGroup, trained: Sequence[int]) -> str:
    """Whom the words are about where an arm could be meant and is not: too few of its trainings were compared."""
    if min(trained) > 1 or not (first.arm and second.arm):
        return ""
    return sentence(f"comparison.{'two_checkpoints' if max(trained) == 1 else 'checkpoints'}")


def _words(changes: Sequence[Difference], same: Alike) -> str:
    return str(same) if any(each.verdict is Verdict.SAME_ANSWERS for each in changes) else in_words(changes)


def _used(first: RunGroup, second: RunGroup, made: ArmsCompared) -> list[list[Run]]:
    """The runs of both sides that were compared."""
    return [
        [run for seed, run in group.runs.items() if len(group.runs) == 1 or seed in used]
        for group, used in zip((first, second), made.seeds, strict=True)
    ]


def _aggregates(
    first: ScoreTable, second: ScoreTable, resampling: Resampling
) -> tuple[list[AggregateScore], list[AggregateScore], list[AggregateScore]]:
    return (
        aggregates(first, resampling=resampling),
        aggregates(second, resampling=resampling),
        aggregate_differences(first, second, resampling=resampling),
    )


def _family(tested: Sequence[Difference]) -> str:
    if not tested:
        return sentence("compare.no_tests")
    metrics = list(dict.fromkeys(each.metric for each in tested))
    strata = list(dict.fromkeys(each.stratum for each in tested))
    shown = together([severity(each) for each in strata], "list.comma")
    return sentence("compare.tests", n=len(tested), metrics=", ".join(metrics), strata=shown)
