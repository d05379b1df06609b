"""Whether metrics mean anything: how far each of them orders answers as people do, and how far one person does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..harness.core.errors import UserError
from ..harness.core.files import sha256_text
from ..harness.runs.run import Run
from ..harness.runs.screened import screening_of
from ..harness.scores.signatures import Better, better
from ..harness.severity import SEVERITIES
from ..harness.statistics import OVERALL, USUAL, Resampling
from ..harness.statistics.orders import Estimate, auc, consistency, pairs_needed, pairwise_accuracy, tau_b
from .collected import Ratings
from .forms import Kind
from .judged import Judged, cut, judged_answers, judged_pairs
from .meta_records import ONE_RATER, Measured, Meta, MetaRow
from .powered import USUAL_METRIC, powered_rows

_HARM = 50.0
"""Mean points from which raters say that an answer could harm."""


def meta(
    ratings: Ratings, runs: Sequence[Run], resampling: Resampling = USUAL, powered_by: str | None = None
) -> Meta:
    """Every metric of the runs, and one rater, against people; and the runs' differences in people's units.

    A person's quality of an answer is the mean of what was asked, less for harm; of a pair its preference.

    Args:
        powered_by: the metric that helps the ratings (``powered``); by default ``bertscore_f1`` where the runs have
            it.

    Raises:
        UserError: the ratings are of complaints; a rated run is not given, or does not hold the answers rated, or
            the runs' metrics have different signatures.
    """
    if ratings.key.kind is Kind.COMPLAINT:
        raise UserError("these ratings are of complaints, not of answers", "Use `maqa ratings import` for a gold")
    given = _given(ratings, runs)
    scores, signatures = _scores(given)
    pairs, answers = judged_pairs(ratings, scores), judged_answers(ratings, scores)
    rows = []
    for metric, signature in signatures.items():
        sign = {Better.HIGHER: 1.0, Better.LOWER: -1.0}.get(better(signature))
        if sign is None:
            continue
        rows += [
            _row(metric, stratum, cut(pairs, stratum), cut(answers, stratum), sign, resampling)
            for stratum in (*map(str, SEVERITIES), OVERALL)
        ]
    rows += [
        _ceiling(stratum, cut(pairs, stratum), cut(answers, stratum), resampling)
        for stratum in (*map(str, SEVERITIES), OVERALL)
    ]
    chosen = powered_by or (USUAL_METRIC if USUAL_METRIC in signatures else next(iter(signatures)))
    return Meta(
        sheet=ratings.key.sheet,
        raters=len(ratings.raters),
        signatures=dict(signatures),
        rows=tuple(rows),
        powered=tuple(powered_rows(ratings, scores, chosen)),
        screening={name: why for name, why in screening_of(list(given.values())).items() if name in signatures},
    )


def _given(ratings: Ratings, runs: Sequence[Run]) -> dict[str, Run]:
    given = {run.name: run for run in runs}
    for each in ratings.key.items:
        for side in each.sides:
            if side not in given:
                raise UserError(
                    f"answers of {side} were rated, and no run of that name is given", "Give its folder"
                )
    answers = {
        name: dict(zip(run.answers["id"].astype(str), run.answers["prediction"], strict=True))
        for name, run in given.items()
    }
    for each in ratings.key.items:
        for place, side in enumerate(each.sides, start=1):
            text = answers[side].get(each.id)
            if text is None or sha256_text(str(text)) != each.sha256[place]:
                raise UserError(
                    f"{given[side].path} does not hold the answer to {each.id} that was rated",
                    "Give the runs that the sheet was made from",
                )
    return given


def _scores(given: Mapping[str, Run]) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    runs = list(given.values())
    signatures = {
        metric: signature
        for metric, signature in runs[0].scores.signatures.items()
        if metric in runs[0].scores.metrics and all(run.scores.signatures.get(metric) == signature for run in runs)
    }
    if not signatures:
        raise UserError(
            "the runs have no metric of one signature in common", "Compute them again: maqa rescore RUN"
        )
    return {name: run.scores.frame.set_index("id") for name, run in given.items()}, signatures


def _row(
    metric: str, stratum: str, pairs: Judged | None, answers: Judged | None, sign: float, resampling: Resampling
) -> MetaRow:
    pairwise = tau = icc = harm = None
    if pairs is not None:
        change = sign * pairs.frame[metric].to_numpy(dtype=np.float64)
        known = np.isfinite(change)
        if known.any():
            preference = pairs.quality.mean(axis=1).to_numpy()[known]
            pairwise = pairwise_accuracy(change[known], preference, pairs.frame["question"][known], resampling)
    if answers is not None:
        score = sign * answers.frame[metric].to_numpy(dtype=np.float64)
        known = np.isfinite(score)
        if known.sum() > 1:
            quality = answers.quality.mean(axis=1).to_numpy()
            questions = answers.frame["question"][known]
            tau = tau_b(score[known], quality[known], questions, resampling)
            icc = consistency(score[known], quality[known], questions, resampling)
            if answers.harm is not None:
                harm = auc(-score[known], answers.harm[known] >= _HARM, questions, resampling)
    return _made(metric, stratum, pairwise, tau, icc, harm)


def _ceiling(stratum: str, pairs: Judged | None, answers: Judged | None, resampling: Resampling) -> MetaRow:
    """The mean over raters of one against the mean of the others, over the items that both rated."""
    pairwise = _over_raters(pairs, pairwise_accuracy, resampling)
    tau = _over_raters(answers, tau_b, resampling)
    icc = _over_raters(answers, consistency, resampling)
    return _made(ONE_RATER, stratum, pairwise, tau, icc, None)


def _over_raters(judged: Judged | None, measure: object, resampling: Resampling) -> Estimate | None:
    if judged is None or judged.quality.shape[1] < 2:
        return None
    found: list[Estimate] = []
    for rater in judged.quality.columns:
        own = judged.quality[rater]
        others = judged.quality.drop(columns=rater).mean(axis=1)
        both = (own.notna() & others.notna()).to_numpy()
        if both.sum() > 1:
            assert callable(measure)
            made = measure(
                own[both].to_numpy(), others[both].to_numpy(), judged.frame["question"][both], resampling
            )
            found += [made] if made.value is not None and made.low is not None else []
    if not found:
        return None
    value, low, high = (
        float(np.mean([getattr(each, name) for each in found])) for name in ("value", "low", "high")
    )
    return Estimate(value, low, high, max(each.n for each in found))


def _made(
    metric: str,
    stratum: str,
    pairwise: Estimate | None,
    tau: Estimate | None,
    icc: Estimate | None,
    harm: Estimate | None,
) -> MetaRow:
    kept = [
        None if each is None else Measured(value=each.value, low=each.low, high=each.high, n=each.n)
        for each in (pairwise, tau, icc, harm)
    ]
    needed = pairs_needed(pairwise.value) if pairwise and pairwise.value is not None else None
    return MetaRow(
        metric=metric,
        stratum=stratum,
        pairwise=kept[0],
        tau=kept[1],
        icc=kept[2],
        harm=kept[3],
        pairs_needed=needed,
    )
