"""Two runs side by side, if they can be compared at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .aggregates import GATES, QUALITY, AggregateScore, aggregate_differences, aggregates
from .alike import Alike, alike, as_expected
from .errors import UserError
from .runs import Run
from .scores import KEY_COLUMNS, ScoreTable
from .statistics import (
    OVERALL,
    USUAL,
    Difference,
    Resampling,
    Summary,
    Verdict,
    check_scores,
    in_words,
    paired,
    summarise_all,
    unlike,
)

_NONE: tuple[list[AggregateScore], list[AggregateScore], list[AggregateScore]] = ([], [], [])


@dataclass(frozen=True)
class Comparison:
    """What ``maqa compare`` prints: both runs per severity, second minus first, and the verdicts in words.

    ``family`` names the tests that Holm's adjustment is over; ``words`` and ``signatures`` have an entry per
    metric. Aggregates are empty where ``bertscore_f1`` is not compared. ``alike`` counts the answers that are the
    same.
    """

    first: str
    second: str
    family: str
    words: dict[str, str]
    summaries: tuple[list[Summary], list[Summary]]
    differences: list[Difference]
    aggregates: tuple[list[AggregateScore], list[AggregateScore], list[AggregateScore]]
    signatures: dict[str, str]
    resampling: Resampling
    alike: Alike

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {**dataclasses.asdict(self), "resampling": self.resampling.model_dump()}


def compare(
    first: Run, second: Run, metrics: Sequence[str] = (QUALITY,), resampling: Resampling = USUAL
) -> Comparison:
    """Compare two runs answer by answer.

    Args:
        first: the run that is subtracted.
        second: the run that it is subtracted from.
        metrics: the declared family: every severity of every one of these.
        resampling: of the bootstrap and the random signs.

    Raises:
        UserError: the runs differ in answers, data, prompt, decoding or a metric's signature (the difference is
            named), or their scores cannot be used.
    """
    metrics = list(dict.fromkeys(metrics))
    refuse_incomplete(first, second)
    for run in (first, second):
        check_scores(run.scores, str(run.path))
    if unequal := differences(first, second, [*metrics, *(GATES if QUALITY in metrics else ())]):
        raise UserError(
            f"{first.path} and {second.path} differ in: {'; '.join(unequal)}",
            "Compare runs that differ in the model alone",
        )
    one, other = (_chosen(run, metrics) for run in (first, second))
    changes = paired(one, other, *metrics, resampling=resampling)
    summaries = summarise_all([one, other], resampling)
    same = alike(first, second)
    moved = any(each.improved_pct or each.worsened_pct for each in changes)
    if same.identical and not moved and not as_expected((first, second)):
        changes = [dataclasses.replace(each, verdict=Verdict.SAME_ANSWERS) for each in changes]
    tested = [each for each in changes if each.stratum != OVERALL and each.p is not None]
    return Comparison(
        first=first.name,
        second=second.name,
        family=_family(tested),
        words={metric: _words([each for each in changes if each.metric == metric], same) for metric in metrics},
        summaries=(summaries[0], summaries[1]),
        differences=changes,
        aggregates=_aggregates(first.scores, second.scores, resampling) if QUALITY in metrics else _NONE,
        signatures={metric: one.signatures[metric] for metric in metrics},
        resampling=resampling,
        alike=same,
    )


def check_metric(run: Run, metric: str) -> None:
    """Refuse a run that says nothing about a metric.

    Raises:
        UserError: the metric was not scored, or applies to none of the run's answers.
    """
    if metric not in run.scores.metrics:
        known = ", ".join(run.scores.metrics)
        raise UserError(f"run {run.path} has no metric {metric!r}, only {known}", "Use `maqa rescore` or --metric")
    if run.scores.frame[metric].isna().all():
        raise UserError(f"{metric} applies to no answer of run {run.path}", "Choose another --metric")


def refuse_incomplete(*runs: Run) -> None:
    """Refuse runs that lack answers: what is left of them is no sample of what was asked.

    Raises:
        UserError: names the first such run and what it lacks.
    """
    for run in runs:
        if run.lacks:
            raise UserError(
                f"run {run.path} is incomplete: it lacks {'; '.join(run.lacks)}",
                "Bring its samples files back, or evaluate it again",
            )


def differences(
    first: Run,
    second: Run,
    metrics: Sequence[str] | None = None,
    names: tuple[str, str] = ("the first run", "the second run"),
) -> list[str]:
    """What two runs differ in beside the model: answers, data, prompt, decoding, or the signatures of ``metrics``
    (None for all that both have). Empty where they can be compared.

    The seed of the decoding may differ: it is no other way of decoding. ``names`` is what the two are called in it.
    """
    found = unlike(first.scores, second.scores, metrics, names)
    rows = [run.answers.drop_duplicates("id").set_index("id") for run in (first, second)]
    shared = rows[0].index.intersection(rows[1].index)
    for column in ("question", "reference", "prompt"):
        changed = shared[rows[0][column][shared] != rows[1][column][shared]]
        if len(changed):
            found.append(f"the {column} of {len(changed)} answers (such as {str(changed[0])!r})")
    found += [f"{name}: {one!r} and {other!r}" for name, one, other in _conditions(first, second) if one != other]
    return found


def _conditions(first: Run, second: Run) -> Iterable[tuple[str, Any, Any]]:
    """Everything recorded of both runs that has to be equal: name, first run's value, second run's."""
    decodings = [dict(run.decoding) for run in (first, second)]
    if first.manifest and second.manifest:
        one, other = first.manifest, second.manifest
        yield "data.fingerprint", one.data.fingerprint, other.data.fingerprint
        yield "data.severity_source", one.data.severity_source, other.data.severity_source
        yield "prompt.sha256", one.prompt.sha256, other.prompt.sha256
        yield "answers_per_question", one.answers_per_question, other.answers_per_question
        decodings = [dict(one.decoding), dict(other.decoding)]
    for key in sorted((decodings[0].keys() | decodings[1].keys()) - {"seed"}):
        yield f"decoding.{key}", decodings[0].get(key), decodings[1].get(key)


def _chosen(run: Run, metrics: Sequence[str]) -> ScoreTable:
    if missing := [metric for metric in metrics if metric not in run.scores.metrics]:
        raise UserError(
            f"{run.path} has no scores of {', '.join(missing)}", f"Choose among {', '.join(run.scores.metrics)}"
        )
    return ScoreTable(run.scores.frame[[*KEY_COLUMNS, *metrics]], run.scores.signatures)


def _words(changes: Sequence[Difference], same: Alike) -> str:
    return str(same) if any(each.verdict is Verdict.SAME_ANSWERS for each in changes) else in_words(changes)


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
        return "no tests"
    metrics = list(dict.fromkeys(each.metric for each in tested))
    strata = list(dict.fromkeys(each.stratum for each in tested))
    return f"{len(tested)} tests: {', '.join(metrics)} in {', '.join(strata)}"
