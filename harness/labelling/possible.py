"""Which severities a labelled row may have: the conformal sets of its source's report card, in the dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ..data.dataset import DatasetInfo
from ..languages.sentences import sentence
from .quality.conformal import Conformal, set_names, sets, uniform_of
from .sources.base import Probabilities

_KEY = "sets"
_BETWEEN = "|"


def named_sets(probabilities: Probabilities, questions: Iterable[str], promise: Conformal) -> list[str]:
    """The set of each row of probabilities (n, 3), in words; ties fall by the complaint's own digest."""
    return set_names(sets(probabilities, promise.bars, uniform_of(list(questions))))


def sets_given(splits: Mapping[str, pd.DataFrame], promise: Conformal) -> dict[str, Any]:
    """What ``dataset.json`` says of the sets: the promise, what it came to, and how many rows they leave open."""
    given = pd.concat([frame["possible"] for frame in splits.values()]).dropna()
    undecided = given.eq("") | given.str.contains(_BETWEEN, regex=False)
    return {
        "level": promise.level,
        "coverage": list(promise.coverage),
        "rows": len(given),
        "undecided_pct": round(100 * float(undecided.mean()), 2) if len(given) else None,
    }


def sets_words(info: DatasetInfo) -> str:
    """What a dataset's sets promise and leave open, in one sentence; empty where it has none."""
    kept = info.labelling.get(_KEY)
    if not kept or kept["undecided_pct"] is None:
        return ""
    critical = kept["coverage"][2]
    given = {"level": f"{kept['level']:.0f}", "undecided": f"{kept['undecided_pct']:.1f}", "n": f"{kept['rows']:,}"}
    if critical is None:
        return sentence("label.sets_words", **given)
    return sentence("label.sets_words_measured", **given, measured=f"{critical:.1f}")
