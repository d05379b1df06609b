"""What no statistic can be computed from, and what cannot be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import pandas as pd

from ..core.errors import UserError
from ..languages.sentences import sentence, severity, together
from ..scores.signatures import better, is_rate, required_severities
from ..scores.table import ScoreTable
from .clusters import split_otherwise
from .columns import STRATA

FIRST, SECOND = sentence("apart.first"), sentence("apart.second")
_RESCORE = "Compute the scores again with `maqa rescore RUN`"


def check_scores(scores: ScoreTable, name: str = "the score table") -> None:
    """Refuse scores that no statistic can be computed from.

    Raises:
        UserError: a metric has no signature or one that cannot be read; an id is missing or occurs twice; a
            severity is unknown; a score is no number, is missing though its metric does not declare that it may, is
            infinite, or is neither 0 nor 100 though its metric declares a rate.
    """
    frame = scores.frame
    if unsigned := [metric for metric in scores.metrics if metric not in scores.signatures]:
        raise UserError(f"{name}: no signature for {', '.join(unsigned)}", _RESCORE)
    if frame["id"].isna().any():
        raise UserError(f"{name}: {int(frame['id'].isna().sum())} answers have no id", _RESCORE)
    _refuse(name, "the id occurs twice", frame, frame["id"].duplicated())
    unlabelled = ~frame["severity"].isin(list(STRATA[:-1]))
    _refuse(name, "the severity is unknown", frame, unlabelled, "Label the data with `maqa label`")
    for metric in scores.metrics:
        column, signature = frame[metric], scores.signatures[metric]
        if not pd.api.types.is_numeric_dtype(column):
            raise UserError(f"{name}: {metric} holds no numbers", _RESCORE)
        needed = frame["severity"].isin(_required(name, metric, signature))
        _refuse(name, f"{metric} was not scored", frame, column.isna() & needed)
        _refuse(name, f"{metric} is infinite", frame, pd.Series(np.isinf(column), index=frame.index))
        if is_rate(signature):
            _refuse(
                name, f"{metric} is a rate but neither 0 nor 100", frame, column.notna() & ~column.isin([0, 100])
            )


def check_percentages(scores: ScoreTable, name: str) -> None:
    """Refuse scores that no metric can have given.

    Raises:
        UserError: a score lies outside 0 to 100.
    """
    for metric in scores.metrics:
        column = scores.frame[metric]
        _refuse(name, f"{metric} lies outside 0 to 100", scores.frame, (column < 0) | (column > 100))


def unlike(
    first: ScoreTable,
    second: ScoreTable,
    metrics: Sequence[str] | None = None,
    names: tuple[str, str] = (FIRST, SECOND),
) -> list[str]:
    """What keeps two tables from being compared: other ids, severities, or signatures of ``metrics`` (None for all
    that both have). Empty where nothing does. ``names`` is what the two are called in it."""
    found: list[str] = []
    severities = [table.frame.drop_duplicates("id").set_index("id")["severity"] for table in (first, second)]
    for here, there in ((0, 1), (1, 0)):
        alone = severities[here].index.difference(severities[there].index)
        if len(alone):
            whole = [
                each for each in STRATA[:-1] if each not in set(severities[there]) and each in set(severities[here])
            ]
            missing = {"n": len(alone), "run": names[there], "ids": _some(alone)}
            strata = together(map(severity, whole), "list.and")
            found.append(
                sentence("apart.missing_whole", strata=strata, **missing)
                if whole
                else sentence("apart.missing", **missing)
            )
    shared = severities[0].index.intersection(severities[1].index)
    moved = shared[severities[0][shared] != severities[1][shared]]
    if len(moved):
        found.append(sentence("apart.severity", n=len(moved), ids=_some(moved)))
    if (split := split_otherwise(first, second)) is not None:
        found.append(sentence("apart.together", which=repr(split)))
    signed = [
        (metric, first.signatures.get(metric), second.signatures.get(metric))
        for metric in (first.metrics if metrics is None else metrics)
    ]
    resigned = [(metric, one, other) for metric, one, other in signed if one != other and None not in (one, other)]
    if resigned:
        (metric, one, other), *more = resigned
        found.append(sentence("apart.signature", metric=metric, one=one, other=other))
        if more:
            found.append(sentence("apart.signatures", metrics=_some_names([metric for metric, _, _ in more])))
    return found


def refuse_unlike(first: ScoreTable, second: ScoreTable, metrics: Sequence[str] | None = None) -> None:
    """Refuse two tables that ``unlike`` finds something between.

    Raises:
        UserError: names all of it.
    """
    if found := unlike(first, second, metrics):
        raise UserError(
            f"the runs differ in: {'; '.join(found)}",
            "Compare runs of the same data, both scored by `maqa rescore`",
        )


def _required(name: str, metric: str, signature: str) -> list[str]:
    try:
        better(signature)
        return [str(severity) for severity in required_severities(signature)]
    except ValueError as error:
        raise UserError(f"{name}: the signature of {metric} cannot be read: {error}", _RESCORE) from None


def _refuse(name: str, what: str, frame: pd.DataFrame, wrong: pd.Series[bool], remedy: str = _RESCORE) -> None:
    if wrong.any():
        raise UserError(f"{name}: {what} in {int(wrong.sum())} answers ({_some(frame['id'][wrong])})", remedy)


def _some_names(names: Sequence[str], at_most: int = 5) -> str:
    shown = ", ".join(names[:at_most])
    return sentence("apart.more", shown=shown, n=len(names) - at_most) if len(names) > at_most else shown


def _some(ids: Iterable[object]) -> str:
    return ", ".join(repr(str(each)) for each in islice(ids, 3))
