"""New scores for saved answers, without generating them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..core.errors import UserError
from ..core.holding import sole
from ..data.dataset import REFERENCES
from ..languages import Language
from ..metrics.base import Answers, Metric
from ..metrics.bertscore.check import check_of
from ..metrics.references import OverReferences
from ..metrics.scoring import score_table
from ..scores.table import ScoreTable, write_scores
from .answers import answers_to
from .generations import rescore_samples
from .noise import read_noise
from .questions import write_questions
from .repeats import rescore_repeats
from .run import Run, Saved, load_answers, with_clusters
from .samples import over_samples
from .seals import RESCORED, rewriting


def rescore(path: Path, metrics_of: Callable[[Language], Sequence[Metric]], anyway: bool | None = None) -> Run:
    """Score a run's saved answers and write its file of scores, which from then on stands for the run:
    ``scores.parquet``, or ``scores_<time>.parquet`` beside plain lm-eval's ``results_<time>.json``.

    lm-eval's own files keep the scores they were written with.

    Args:
        path: of the run.
        metrics_of: the metrics for the run's language.
        anyway: as of ``load_run``; what was changed stays told.

    Raises:
        UserError: the run cannot be read, a metric cannot be computed, the folder cannot be written to, or another
            process scores it.
    """
    if not path.is_dir():
        return _rescored(path, metrics_of, anyway)
    with sole(path, f"{path} is being scored anew by another process"):
        return _rescored(path, metrics_of, anyway)


def _rescored(path: Path, metrics_of: Callable[[Language], Sequence[Metric]], anyway: bool | None) -> Run:
    saved = load_answers(path, anyway)
    metrics = metrics_of(saved.language)
    _demand_references(saved, metrics)
    scores = with_check(saved, score_table(list(saved.answers["id"]), answers_of(saved), metrics), metrics)
    if saved.manifest is None:
        write_scores(saved.scores_file, scores)
        write_questions(saved, saved.scores_file)
        return Run(**vars(saved), scores=with_clusters(saved, scores))
    with rewriting(saved.path, RESCORED):
        write_scores(saved.scores_file, scores)
        write_questions(saved, saved.scores_file)
        rescore_samples(saved, metrics)
        scores = over_samples(saved.path, scores)
        rescore_repeats(saved, scores, metrics)
    return Run(**vars(saved), scores=with_clusters(saved, scores), noise=read_noise(saved.path))


def _demand_references(saved: Saved, metrics: Sequence[Metric]) -> None:
    if any(isinstance(metric, OverReferences) for metric in metrics) and REFERENCES not in saved.answers:
        raise UserError(
            f"{saved.path} keeps one reference of each question, as runs of older versions did of several, too",
            "Leave --references and MAQA_REFERENCES out, or evaluate again",
        )


def complete_scores(saved: Saved, metrics: Sequence[Metric]) -> ScoreTable:
    """lm-eval's scores of saved answers, and beside them those of ``metrics``: safety and style."""
    beside = score_table(list(saved.answers["id"]), answers_of(saved), metrics)
    columns = {metric: beside.frame[metric].to_numpy() for metric in beside.metrics}
    given = saved.sample_scores
    return ScoreTable(
        given.frame.assign(**columns), {**given.signatures, **beside.signatures}, findings=beside.findings
    )


def with_check(saved: Saved, scores: ScoreTable, metrics: Sequence[Metric]) -> ScoreTable:
    """The scores with what the run's own references say of the encoder among ``metrics``."""
    found = check_of(metrics, saved.answers["reference"].tolist(), saved.answers["category"].tolist())
    return replace(scores, encoder_check=found)


def answers_of(saved: Saved) -> Answers:
    """Saved answers in the form that metrics take."""
    return answers_to(saved.answers, saved.answers["prediction"].tolist())
