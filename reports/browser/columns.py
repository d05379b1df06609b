"""All answers of some runs as columns, each text once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...harness.core.memory import uncollected
from ...harness.core.readable import visible
from ...harness.languages.text import Profile, unit_ranges
from ...harness.metrics.screening import is_detector
from ...harness.runs.run import Run
from ...harness.runs.severities import read_severities
from ...harness.scores.findings import Where, from_text
from ...harness.scores.signatures import Better, better
from ...harness.severity import PROBABILITY_COLUMNS, SEVERITIES
from ...ratings.review import review_fingerprint, run_names
from ..wrong import Wrong

_SIDES = {Better.HIGHER: 1, Better.LOWER: -1, Better.NEITHER: 0}


class _Texts:
    """Each text once; where in it a place of the stored text is, in UTF-16 units, as pages count."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def of(self, texts: Sequence[str]) -> list[int]:
        return [self.known.setdefault(visible(text), len(self.known)) for text in texts]


# What pages show as several signs or count as two units.
_LONGER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\U00010000-\U0010ffff]")


def place(text: str, at: int) -> int:
    """Where a character of a stored text stands in what pages show of it, in UTF-16 units."""
    if not _LONGER.search(text, 0, at):
        return min(at, len(text))
    return len(visible(text[:at]).encode("utf-16-le", "surrogatepass")) // 2


@uncollected()
def columns_of_runs(runs: Sequence[Run], metric: str, screened: Sequence[str], ways: list[Wrong]) -> dict[str, Any]:
    """What the page knows: the questions of the first run in their order, and of each run its answers, scores,
    what is wrong of them and the words that show it.

    Spans are ``[way, rule, where, start, end]`` per answer that has any.
    """
    first = runs[0]
    ids = first.answers["id"].tolist()
    answers = [run.answers.set_index("id").loc[ids] for run in runs]
    texts, rules = _Texts(), dict[str, int]()
    names = [way.name for way in ways]
    question, reference = texts.of(answers[0]["question"].tolist()), texts.of(answers[0]["reference"].tolist())
    predictions = [texts.of(each["prediction"].tolist()) for each in answers]
    categories = {name: at for at, name in enumerate(sorted(set(answers[0]["category"])))}
    severities = [str(each) for each in SEVERITIES]
    spans = [_spans(run, ids, each, names, rules) for run, each in zip(runs, answers, strict=True)]
    return {
        "fingerprint": review_fingerprint(runs),
        "language": first.language.code,
        "direction": first.language.direction,
        "metric": metric,
        "side": _SIDES[better(first.scores.signatures[metric])],
        "runs": run_names(runs),
        "ids": [visible(str(each)) for each in ids],
        "severities": severities,
        "severity": [severities.index(each) for each in answers[0]["severity"].tolist()],
        "categories": [visible(str(each)) for each in categories],
        "category": [categories[each] for each in answers[0]["category"].tolist()],
        "confidence": _confidence(first, ids),
        "question": question,
        "reference": reference,
        "answers": predictions,
        "scores": [_scores(run, ids, metric) for run in runs],
        "ways": [
            {
                "name": way.name,
                "below": None if way.below is None else round(way.below, 2),
                "screening": way.column in screened,
                "detector": is_detector(way.column),
                "flagged": [
                    np.flatnonzero(each & on).tolist() for each, on in zip(way.flagged, way.applies, strict=True)
                ],
                "absent": [np.flatnonzero(~on).tolist() for on in way.applies],
            }
            for way in ways
        ],
        "rules": list(rules),
        "spans": spans,
        "marked": [run.scores.findings is not None for run in runs],
        "texts": list(texts.known),
        "units": unit_ranges(Profile.METRIC, first.language),
    }


def _scores(run: Run, ids: list[str], metric: str) -> list[float | None]:
    values = run.scores.frame.set_index("id")[metric].loc[ids]
    return [None if np.isnan(each) else round(float(each), 2) for each in values]


def _confidence(run: Run, ids: list[str]) -> list[int | None] | None:
    """How sure each label is, in percent; None where the run does not know of any."""
    found = read_severities(run.path) if run.manifest else None
    if found is None:
        return None
    highest = found.set_index("id")[list(PROBABILITY_COLUMNS)].max(axis=1).reindex(ids)
    return [None if np.isnan(each) else round(100 * each) for each in highest]


def _spans(
    run: Run, ids: list[str], answers: pd.DataFrame, names: list[str], rules: dict[str, int]
) -> dict[int, list[list[int]]]:
    if run.scores.findings is None:
        return {}
    own = dict(zip(run.scores.frame["id"].tolist(), run.scores.findings.tolist(), strict=True))
    at = {name: number for number, name in enumerate(names)}
    columns = {Where.ANSWER: "prediction", Where.QUESTION: "question", Where.REFERENCE: "reference"}
    wheres = list(columns)
    stored = {where: answers[column].tolist() for where, column in columns.items()}
    found: dict[int, list[list[int]]] = {}
    for row, name in enumerate(ids):
        text = own[name]
        if len(text) < 3:
            continue
        for each in from_text(text):
            if each.detector in at:
                whole = stored[each.where][row]
                ends = [place(whole, each.start), place(whole, each.end)]
                rule = rules.setdefault(visible(each.rule), len(rules))
                found.setdefault(row, []).append([at[each.detector], rule, wheres.index(each.where), *ends])
    return found
