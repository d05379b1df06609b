"""Differences between runs in people's units, from some ratings and the automatic scores of all answers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from ..harness.core.errors import UserError
from ..harness.severity import SEVERITIES
from ..harness.statistics import OVERALL
from ..harness.statistics.ppi import Powered, powered_average
from .agreement import asked_of_both, rated_differences
from .collected import Ratings
from .meta_records import PoweredRow

USUAL_METRIC = "bertscore_f1"


def powered_rows(ratings: Ratings, scores: Mapping[str, pd.DataFrame], metric: str) -> list[PoweredRow]:
    """Second minus first run in each question to raters, per severity and overall, helped by a metric.

    Over questions, for these raters: a question's word is the mean of its raters. Only items drawn at random count.

    Args:
        scores: of each run, by question id, with ``severity`` and the metrics as columns.

    Raises:
        UserError: the runs have no such metric in common.
    """
    if any(metric not in frame for frame in scores.values()):
        known = sorted(set.intersection(*(set(frame.columns) for frame in scores.values())) - {"severity"})
        raise UserError(
            f"the runs have no metric {metric} of one signature in common", f"Use one of {', '.join(known)}"
        )
    names = list(dict.fromkeys(side for each in ratings.key.items for side in each.sides))
    found = []
    for first, second in combinations(names, 2):
        change = (scores[second][metric] - scores[first][metric]).dropna().astype(float)
        severity = scores[first]["severity"].astype(str)
        for ask in asked_of_both(ratings):
            said = rated_differences(ratings, ask, first, second).groupby("id")["difference"].mean()
            said = said[said.index.isin(change.index)].astype(float)
            for stratum in (*map(str, SEVERITIES), OVERALL):
                made = _powered(said, change, severity, stratum)
                if made is not None:
                    found.append(_row(metric, ask.name, first, second, stratum, made))
    return found


def _powered(said: pd.Series, change: pd.Series, severity: pd.Series, stratum: str) -> Powered | None:
    strata = [str(each) for each in SEVERITIES if stratum in (OVERALL, str(each))]
    parts = []
    for each in strata:
        own = change[severity.reindex(change.index) == each]
        if not len(own):
            continue
        rated = said[said.index.isin(own.index)]
        others = own[~own.index.isin(rated.index)]
        parts.append([part.to_numpy(dtype=np.float64) for part in (rated, own[rated.index], others)])
    return powered_average(*map(list, zip(*parts, strict=True))) if parts else None


def _row(metric: str, ask: str, first: str, second: str, stratum: str, made: Powered) -> PoweredRow:
    return PoweredRow(
        metric=metric,
        ask=ask,
        first=first,
        second=second,
        stratum=stratum,
        rated=made.n,
        others=made.others,
        mean=made.mean,
        low=made.low,
        high=made.high,
        alone_low=made.alone_low,
        alone_high=made.alone_high,
        saving_pct=made.saving_pct,
    )
