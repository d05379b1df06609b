"""Whether runs can be compared: whether they are whole, were scored, and differ in the model alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..core.errors import UserError
from ..generation.backends import floor_names
from ..languages.sentences import sentence, together
from ..scores.table import ScoreTable
from ..statistics import unlike
from ..statistics.checks import FIRST, SECOND
from .conditions import conditions, difference, training_of
from .run import Run


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
    first: Run, second: Run, metrics: Sequence[str] | None = None, names: tuple[str, str] = (FIRST, SECOND)
) -> list[str]:
    """What two runs differ in beside the model: answers, data, prompt, decoding, or the signatures of ``metrics``
    (None for all that both have). Empty where they can be compared.

    The seed of the decoding may differ: it is no other way of decoding. Of runs in two languages the language alone
    is named, since all else follows from it. ``names`` is what the two are called in it.
    """
    if first.language.code != second.language.code:
        return [sentence("apart.language", one=repr(first.language.code), other=repr(second.language.code))]
    found = list(unlike(first.scores, second.scores, metrics, names))
    rows = [run.answers.drop_duplicates("id").set_index("id") for run in (first, second)]
    shared = rows[0].index.intersection(rows[1].index)
    for column in ("question", "reference", "prompt"):
        changed = shared[rows[0][column][shared] != rows[1][column][shared]]
        if len(changed):
            found.append(sentence(f"apart.{column}", n=len(changed), id=repr(str(changed[0]))))
    found += [f"{name}: {one!r} and {other!r}" for name, one, other in _conditions(first, second) if one != other]
    if len(shared) < max(map(len, rows)) and first.asked.rows != second.asked.rows:
        found.append(sentence("apart.rows", one=first.asked.rows, other=second.asked.rows))
    if _one_cache(first, second) and rows[0]["prediction"][shared].equals(rows[1]["prediction"][shared]):
        found.append(sentence("apart.cache", cache=first.asked.cache))
    return found


def other_backend(first: Run, second: Run) -> list[str]:
    """The same weights answer differently under another backend; a trivial system has none."""
    kinds = [run.manifest.model.kind for run in (first, second) if run.manifest]
    models = [kind for kind in kinds if kind not in floor_names()]
    return [sentence("apart.backend", one=models[0], other=models[1])] if len(set(models)) > 1 else []


def other_training(runs: Sequence[Run], run: Run) -> list[str]:
    """In what a run's training differs from that of the first of the runs of its base, beside arm and seed: arms of
    one base are an experiment, and may differ in nothing else."""
    training = training_of(run)
    for other in filter(None, map(training_of, runs)):
        if training and conditions(training).get("base") == conditions(other).get("base"):
            return [
                sentence("apart.training", found=found) for found in difference(other, training, across_seeds=True)
            ]
    return []


def apart(runs: Sequence[Run], metrics: Sequence[str] | None = None) -> list[str]:
    """What keeps runs from being compared, and has a board leave them unranked: what ``differences`` finds to
    the first of them, other backends and other trainings.

    Args:
        runs: those of both sides.
        metrics: whose signatures have to be equal; None for all that two runs have.
    """
    found: list[str] = []
    for run in runs[1:]:
        pair = [*differences(runs[0], run, metrics), *other_backend(runs[0], run), *other_training(runs, run)]
        if pair:
            found.append(sentence("apart.pair", one=runs[0].path, other=run.path, what=together(pair)))
    return found


def anyway_helps(runs: Sequence[Run], metrics: Sequence[str]) -> bool:
    """Whether runs that are ``apart`` have in common what no comparison can do without: answers, severities and
    signatures."""
    return not any(unlike(runs[0].scores, run.scores, metrics) for run in runs[1:])


def or_anyway(runs: Sequence[Run], metrics: Sequence[str]) -> str:
    """The end of a remedy for runs that are ``apart``."""
    if len({run.manifest.answers_per_question for run in runs if run.manifest}) > 1:
        return ", of as many --samples each"
    return ", or two sides with --anyway" if anyway_helps(runs, metrics) else ""


def _one_cache(first: Run, second: Run) -> bool:
    """Whether two models took answers from one file: lm-eval's key of an answer has no model in it."""
    return first.asked.cache is not None and first.asked.cache == second.asked.cache and first.name != second.name


def _conditions(first: Run, second: Run) -> Iterable[tuple[str, Any, Any]]:
    """Everything recorded of both runs that has to be equal: name, first run's value, second run's."""
    decodings = [dict(run.decoding) for run in (first, second)]
    asked = [run.asked.conditions() for run in (first, second)]
    for key in asked[0]:
        yield f"prompt.{key}", asked[0][key], asked[1][key]
    if first.manifest and second.manifest:
        one, other = first.manifest, second.manifest
        yield "data.fingerprint", one.data.fingerprint, other.data.fingerprint
        yield "data.severity_source", one.data.severity_source, other.data.severity_source
        yield "prompt.sha256", one.prompt.sha256, other.prompt.sha256
        yield "answers_per_question", one.answers_per_question, other.answers_per_question
        decodings = [dict(one.decoding), dict(other.decoding)]
    for key in sorted((decodings[0].keys() | decodings[1].keys()) - {"seed"}):
        yield f"decoding.{key}", decodings[0].get(key), decodings[1].get(key)


def chosen_of(run: Run, metrics: Sequence[str]) -> ScoreTable:
    """The run's scores of these metrics alone.

    Raises:
        UserError: one was not scored.
    """
    if missing := [metric for metric in metrics if metric not in run.scores.metrics]:
        raise UserError(
            f"{run.path} has no scores of {', '.join(missing)}", f"Choose among {', '.join(run.scores.metrics)}"
        )
    return run.scores.only(metrics)
