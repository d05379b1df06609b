"""Runs in, a ranked board out: one typed record that every export is made from."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from ..harness.aggregates import QUALITY, aggregates
from ..harness.comparison import differences
from ..harness.conditions import conditions, difference
from ..harness.errors import UserError
from ..harness.runs import Run
from ..harness.scores import ScoreTable
from ..harness.statistics import OVERALL, Summary, paired, summarise
from .records import AggregateCell, Board, Cell, Row
from .seeds import seed_rows

TIE_P = 0.05

FLOORS = ("echo", "constant", "nearest")
"""Trivial systems: what they score is the floor that a model must leave behind."""


def build_board(runs: Sequence[Run], metric: str = "bertscore_f1") -> Board:
    """Rank runs by one metric.

    A row shares the rank of the first row above it from which the paired randomisation test (overall, p < 0.05)
    does not separate it. Rows that differ from the reference (the first model with a manifest) in data, prompt,
    decoding, backend or metric signature, or from the first run of their base in how they were trained, are shown
    unranked, with what differs.

    Raises:
        UserError: no runs, two runs of one folder, or a run without the metric.
    """
    reference = _reference(runs, metric)
    apart = {
        id(run): [*differences(reference, run), *_other_backend(reference, run), *_other_training(runs, run)]
        for run in runs
    }
    ordered = sorted(runs, key=lambda run: (bool(apart[id(run)]), -_mean(run.scores, metric)))
    ranks = _ranks([run for run in ordered if not apart[id(run)]], metric)
    rows = [_row(run, ranks.get(id(run)), apart[id(run)]) for run in ordered]
    return Board(
        metric=metric,
        signature=reference.scores.signatures[metric],
        reference=reference.name,
        data=reference.manifest.data.source if reference.manifest else "a plain lm-eval folder",
        decoding=reference.decoding,
        rows=rows,
        seeds=seed_rows([run for run in ordered if not apart[id(run)]], metric),
    )


def _reference(runs: Sequence[Run], metric: str) -> Run:
    if not runs:
        raise UserError("no run was given", "Name at least one run folder")
    paths = [run.path.resolve() for run in runs]
    for path in paths:
        if paths.count(path) > 1:
            raise UserError(f"run {path} was given twice", "Name each run once")
    for run in runs:
        if metric not in run.scores.signatures:
            known = ", ".join(run.scores.metrics)
            raise UserError(
                f"run {run.path} has no metric {metric!r}, only {known}", "Use `maqa rescore` or --metric"
            )
    documented = [run for run in runs if run.manifest]
    models = [run for run in documented if run.manifest and run.manifest.model.kind not in FLOORS]
    return [*models, *documented, *runs][0]


def _other_backend(reference: Run, run: Run) -> list[str]:
    # The same weights answer differently under another backend; a trivial system has none.
    kinds = [each.manifest.model.kind for each in (reference, run) if each.manifest]
    models = [kind for kind in kinds if kind not in FLOORS]
    return [f"backend: {models[0]} and {models[1]}"] if len(set(models)) > 1 else []


def _other_training(runs: Sequence[Run], run: Run) -> list[str]:
    # Arms of one base are an experiment: they may differ in nothing but the arm and the seed.
    training = _training(run)
    for other in filter(None, map(_training, runs)):
        if training and conditions(training).get("base") == conditions(other).get("base"):
            return [f"training {found}" for found in difference(other, training, across_seeds=True)]
    return []


def _training(run: Run) -> dict[str, Any] | None:
    return run.manifest.model.training if run.manifest else None


def _ranks(ordered: Sequence[Run], metric: str) -> dict[int, int]:
    ranks: dict[int, int] = {}
    leader: Run | None = None
    for position, run in enumerate(ordered, start=1):
        if leader is None or _separated(leader, run, metric):
            leader, rank = run, position
        ranks[id(run)] = rank
    return ranks


def _separated(leader: Run, run: Run, metric: str) -> bool:
    overall = next(d for d in paired(leader.scores, run.scores, metric) if d.stratum == OVERALL)
    return overall.p is not None and overall.p < TIE_P


def _row(run: Run, rank: int | None, differs: list[str]) -> Row:
    manifest = run.manifest
    training = _training(run) or {}
    metrics: dict[str, dict[str, Cell]] = {}
    for summary in summarise(run.scores):
        if summary.n:
            metrics.setdefault(summary.metric, {})[summary.stratum] = _cell(summary)
    return Row(
        rank=rank,
        name=run.name,
        arm=training.get("arm"),
        seed=training.get("seed"),
        backend=manifest.model.kind if manifest else "lm_eval",
        floor=manifest is not None and manifest.model.kind in FLOORS,
        metrics=metrics,
        aggregates=_aggregates(run.scores),
        differs=differs,
        command=manifest.runtime.get("command") if manifest else None,
        path=str(run.path),
    )


def _cell(summary: Summary) -> Cell:
    return Cell(n=summary.n, mean=summary.mean, low=summary.low, high=summary.high)


def _aggregates(scores: ScoreTable) -> dict[str, AggregateCell]:
    if QUALITY not in scores.metrics:
        return {}
    return {
        str(score.aggregate): AggregateCell(
            value=None if isnan(score.value) else score.value, low=score.low, high=score.high
        )
        for score in aggregates(scores)
    }


def _mean(scores: ScoreTable, metric: str) -> float:
    return float(scores.frame[metric].mean())
