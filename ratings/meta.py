"""Whether metrics mean anything: how far each of them orders answers as people do, and how far one person does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..harness.core.errors import UserError
from ..harness.core.files import read_json, sha256_text
from ..harness.core.records import validated
from ..harness.core.settings import Record
from ..harness.runs.run import Run
from ..harness.scores.signatures import Better, better
from ..harness.severity import SEVERITIES
from ..harness.statistics import OVERALL, USUAL, Resampling
from ..harness.statistics.bootstrap import Floats
from ..harness.statistics.orders import Estimate, auc, consistency, pairs_needed, pairwise_accuracy, tau_b
from .collected import Ratings
from .forms import Ask, Kind

ONE_RATER = "one rater"
"""In the place of a metric: each rater as if a metric of the others, which bounds what any metric can reach."""
_HARM = 50.0
"""Mean points from which raters say that an answer could harm."""


class Measured(Record):
    """``Estimate`` as a record."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class MetaRow(Record):
    """One metric, or one rater, against people in one stratum. None: not defined by these ratings.

    Attributes:
        pairwise: percent of the pairs of answers to one question of which it prefers the same as people; 50 is
            chance.
        tau: Kendall's tau-b with people's mean quality.
        icc: consistency with people's mean quality, both in percent.
        harm: percent of pairs of a harmful and a harmless answer of which it thinks the harmful one worse (AUC).
        pairs_needed: of preferences, to tell ``pairwise`` from chance with 80 % power.
    """

    metric: str
    stratum: str
    pairwise: Measured | None
    tau: Measured | None
    icc: Measured | None
    harm: Measured | None
    pairs_needed: int | None

    def __str__(self) -> str:
        """As board and report print it beside the metric."""
        if self.pairwise and self.pairwise.value is not None:
            return f"agrees with people in {self.pairwise.value:.0f} % of {self.pairwise.n} pairs, 50 is chance"
        if self.tau and self.tau.value is not None:
            return f"orders {self.tau.n} answers as people do with tau {self.tau.value:.2f}, 0 is chance"
        return "agreement with people: not measurable by these ratings"


class Meta(Record):
    """The content of a file of ``maqa ratings meta``."""

    version: int = 1
    sheet: str
    raters: int
    signatures: dict[str, str]
    rows: tuple[MetaRow, ...]

    def of(self, metric: str, signature: str) -> str:
        """What board and report print beside a metric."""
        row = next((each for each in self.rows if (each.metric, each.stratum) == (metric, OVERALL)), None)
        if row is None or self.signatures.get(metric) != signature:
            return NEVER
        return str(row)


NEVER = "agreement with people: never measured"


def of_people(meta: Meta | None, metric: str, signature: str) -> str:
    """What board and report print of a metric, with and without ratings."""
    return f"{metric}: {NEVER if meta is None else meta.of(metric, signature)}"


def read_meta(path: Path) -> Meta:
    """A file of ``maqa ratings meta``.

    Raises:
        UserError: it is none.
    """
    remedy = "Give the file that `maqa ratings meta RATINGS RUN... --json FILE` wrote"
    return validated(Meta, read_json(path, remedy), str(path), remedy)


@dataclass(frozen=True)
class _Judged:
    """Answers with people's word, or differences of two answers: ``id, severity``, ``quality`` by each rater."""

    frame: pd.DataFrame
    quality: pd.DataFrame
    harm: Floats | None


def meta(ratings: Ratings, runs: Sequence[Run], resampling: Resampling = USUAL) -> Meta:
    """Every metric of the runs, and one rater, against people.

    A person's quality of an answer is the mean of what was asked, less for harm; of a pair its preference.

    Raises:
        UserError: the ratings are of complaints; a rated run is not given, or does not hold the answers rated, or
            the runs' metrics have different signatures.
    """
    if ratings.key.kind is Kind.COMPLAINT:
        raise UserError("these ratings are of complaints, not of answers", "Use `maqa ratings import` for a gold")
    given = _given(ratings, runs)
    scores, signatures = _scores(given)
    pairs, answers = _pairs(ratings, scores), _answers(ratings, scores)
    rows = []
    for metric, signature in signatures.items():
        sign = {Better.HIGHER: 1.0, Better.LOWER: -1.0}.get(better(signature))
        if sign is None:
            continue
        rows += [
            _row(metric, stratum, _cut(pairs, stratum), _cut(answers, stratum), sign, resampling)
            for stratum in (*map(str, SEVERITIES), OVERALL)
        ]
    rows += [
        _ceiling(stratum, _cut(pairs, stratum), _cut(answers, stratum), resampling)
        for stratum in (*map(str, SEVERITIES), OVERALL)
    ]
    return Meta(sheet=ratings.key.sheet, raters=len(ratings.raters), signatures=dict(signatures), rows=tuple(rows))


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


def _quality(ratings: Ratings) -> pd.DataFrame:
    """Each rater's mean points of an item, less for harm: ``item, rater, quality`` and the key's columns."""
    frames = []
    for ask in ratings.asks:
        frame = ratings.of(ask)
        frames.append(frame.assign(points=100 - frame["points"] if ask.lower else frame["points"]))
    frame = pd.concat(frames)
    means = frame.groupby(["item", "rater"], sort=False)["points"].mean().rename("quality").reset_index()
    key = pd.DataFrame([each.model_dump() for each in ratings.key.items])
    return means.merge(key, on="item")


def _answers(ratings: Ratings, scores: Mapping[str, pd.DataFrame]) -> _Judged | None:
    if ratings.key.kind is not Kind.ANSWER:
        return None
    quality = _quality(ratings)
    table = quality.pivot_table(index="item", columns="rater", values="quality", sort=False)
    key = quality.drop_duplicates("item").set_index("item").loc[table.index]
    frame = pd.concat(
        [
            scores[sides[0]].loc[[name]].drop(columns="severity")
            for name, sides in zip(key["id"], key["sides"], strict=True)
        ]
    )
    frame = frame.assign(question=key["id"].to_numpy(), severity=key["severity"].to_numpy()).reset_index(drop=True)
    harmful = ratings.of(next(ask for ask in ratings.asks if ask.name == "harmful"))
    harm = harmful.groupby("item")["points"].mean().reindex(table.index).to_numpy(dtype=np.float64)
    return _Judged(frame, table.reset_index(drop=True), harm)


def _pairs(ratings: Ratings, scores: Mapping[str, pd.DataFrame]) -> _Judged | None:
    """Differences, second minus first, of the two answers to one question."""
    if ratings.key.kind is Kind.PAIR:
        better_ask: Ask = ratings.asks[0]
        frame = ratings.of(better_ask)
        table = pd.DataFrame(frame.pivot_table(index="item", columns="rater", values="points", sort=False) - 50.0)
        key = frame.drop_duplicates("item").set_index("item").loc[table.index]
        sides = list(key["sides"])
        ids, severity = key["id"].to_numpy(), key["severity"].to_numpy()
    else:
        quality = _quality(ratings)
        names = list(dict.fromkeys(side for each in ratings.key.items for side in each.sides))
        if len(names) != 2:
            return None
        quality = quality.assign(side=[each[0] for each in quality["sides"]])
        wide = quality.pivot_table(index="id", columns=["side", "rater"], values="quality", sort=False)
        if any(name not in wide.columns.get_level_values(0) for name in names):
            return None
        table = pd.DataFrame(wide[names[1]] - wide[names[0]])
        key = quality.drop_duplicates("id").set_index("id").loc[table.index]
        sides = [tuple(names)] * len(table)
        ids, severity = table.index.to_numpy(), key["severity"].to_numpy()
    changes = [
        scores[second].loc[name].drop("severity").astype(float)
        - scores[first].loc[name].drop("severity").astype(float)
        for name, (first, second) in zip(ids, sides, strict=True)
    ]
    frame = pd.DataFrame(changes).reset_index(drop=True).assign(question=ids, severity=severity)
    return _Judged(frame, table.reset_index(drop=True), None)


def _cut(judged: _Judged | None, stratum: str) -> _Judged | None:
    if judged is None:
        return None
    rows = (
        np.ones(len(judged.frame), bool) if stratum == OVERALL else (judged.frame["severity"] == stratum).to_numpy()
    )
    if not rows.any():
        return None
    return _Judged(
        judged.frame[rows].reset_index(drop=True),
        judged.quality[rows].reset_index(drop=True),
        None if judged.harm is None else judged.harm[rows],
    )


def _row(
    metric: str, stratum: str, pairs: _Judged | None, answers: _Judged | None, sign: float, resampling: Resampling
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


def _ceiling(stratum: str, pairs: _Judged | None, answers: _Judged | None, resampling: Resampling) -> MetaRow:
    """The mean over raters of one against the mean of the others, over the items that both rated."""
    pairwise = _over_raters(pairs, pairwise_accuracy, resampling)
    tau = _over_raters(answers, tau_b, resampling)
    icc = _over_raters(answers, consistency, resampling)
    return _made(ONE_RATER, stratum, pairwise, tau, icc, None)


def _over_raters(judged: _Judged | None, measure: object, resampling: Resampling) -> Estimate | None:
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
