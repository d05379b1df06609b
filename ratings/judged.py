"""People's word on answers, beside the scores of the same answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..harness.statistics import OVERALL
from ..harness.statistics.bootstrap import Floats
from .collected import Ratings
from .forms import Ask, Kind


@dataclass(frozen=True)
class Judged:
    """Answers with people's word, or differences of two answers: ``id, severity``, ``quality`` by each rater."""

    frame: pd.DataFrame
    quality: pd.DataFrame
    harm: Floats | None


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


def judged_answers(ratings: Ratings, scores: Mapping[str, pd.DataFrame]) -> Judged | None:
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
    return Judged(frame, table.reset_index(drop=True), harm)


def judged_pairs(ratings: Ratings, scores: Mapping[str, pd.DataFrame]) -> Judged | None:
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
    return Judged(frame, table.reset_index(drop=True), None)


def cut(judged: Judged | None, stratum: str) -> Judged | None:
    if judged is None:
        return None
    rows = (
        np.ones(len(judged.frame), bool) if stratum == OVERALL else (judged.frame["severity"] == stratum).to_numpy()
    )
    if not rows.any():
        return None
    return Judged(
        judged.frame[rows].reset_index(drop=True),
        judged.quality[rows].reset_index(drop=True),
        None if judged.harm is None else judged.harm[rows],
    )
