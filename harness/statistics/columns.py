"""From score tables to checked columns of scores, stacked so that one bootstrap serves them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import UserError
from ..scores import ScoreTable
from ..severity import SEVERITIES
from ..signatures import is_rate, required_severities
from .bootstrap import Floats, Resampled, resample

OVERALL = "overall"
STRATA: tuple[str, ...] = (*(str(severity) for severity in SEVERITIES), OVERALL)
"""The rows of every statistic: each severity, and all answers."""

_RESCORE = "Compute the scores again with `maqa rescore RUN`"


@dataclass(frozen=True)
class Block:
    """Columns that are scored on the same answers: ``values`` (n, k); ``codes`` (n,), the place in ``SEVERITIES``.

    ``owners`` says for each column which table it is from and its metric.
    """

    values: Floats
    codes: npt.NDArray[np.int64]
    owners: Sequence[tuple[int, str]]

    def stratum(self, place: int) -> Floats:
        """The rows of one place in ``STRATA``."""
        return self.values if place == len(SEVERITIES) else self.values[self.codes == place]

    def places(self) -> list[int]:
        """The severities that occur."""
        return [int(place) for place in np.unique(self.codes)]

    def resampled(self, seed: int, resamples: int) -> dict[int, Resampled]:
        """The bootstrap of each place in ``STRATA`` that has two rows.

        Overall keeps the strata apart, unless one has a single row, which cannot vary alone: then they are one.
        """
        strata = {
            place: resample([self.stratum(place)], [place], seed=seed, resamples=resamples)
            for place in self.places()
            if (self.codes == place).sum() > 1
        }
        if len(strata) == len(self.places()):
            parts = list(strata.values())
            overall = Resampled([part.samples[0] for part in parts], [part.means[0] for part in parts])
            return {**strata, len(SEVERITIES): overall}
        if len(self.values) < 2:
            return strata
        return {
            **strata,
            len(SEVERITIES): resample([self.values], [len(SEVERITIES)], seed=seed, resamples=resamples),
        }


def check_scores(scores: ScoreTable, name: str = "the score table") -> None:
    """Refuse scores that no statistic can be computed from.

    Raises:
        UserError: a metric has no signature; an id is missing or occurs twice; a severity is unknown; a score is
            missing though its metric does not declare that it may, is infinite, or is neither 0 nor 100 though its
            metric declares a rate.
    """
    frame = scores.frame
    if unsigned := [metric for metric in scores.metrics if metric not in scores.signatures]:
        raise UserError(f"{name}: no signature for {', '.join(unsigned)}", _RESCORE)
    if frame["id"].isna().any():
        raise UserError(f"{name}: {int(frame['id'].isna().sum())} answers have no id", _RESCORE)
    _refuse(name, "the id occurs twice", frame, frame["id"].duplicated())
    _refuse(name, "the severity is unknown", frame, ~frame["severity"].isin(list(STRATA[:-1])))
    for metric in scores.metrics:
        column, signature = frame[metric], scores.signatures[metric]
        needed = frame["severity"].isin([str(each) for each in required_severities(signature)])
        _refuse(name, f"{metric} was not scored", frame, column.isna() & needed)
        _refuse(name, f"{metric} is infinite", frame, pd.Series(np.isinf(column), index=frame.index))
        if is_rate(signature):
            _refuse(
                name, f"{metric} is a rate but neither 0 nor 100", frame, column.notna() & ~column.isin([0, 100])
            )


def check_same_answers(first: ScoreTable, second: ScoreTable) -> None:
    """Refuse two tables that are not of the same answers or not scored alike.

    Raises:
        UserError: an id is in one alone, has another severity, or a metric that both have has another signature.
    """
    severities = [table.frame.set_index("id")["severity"] for table in (first, second)]
    for here, there, which in ((0, 1, "second"), (1, 0, "first")):
        alone = severities[here].index.difference(severities[there].index)
        if len(alone):
            some = ", ".join(repr(str(each)) for each in alone[:3])
            raise UserError(
                f"{len(alone)} answers are missing in the {which} run ({some})", "Compare runs of the same rows"
            )
    other = severities[1].reindex(severities[0].index)
    if (other != severities[0]).any():
        each = other.index[other != severities[0]][0]
        raise UserError(
            f"the answer {str(each)!r} is {severities[0][each]} in the first run and {other[each]} in the second",
            "Compare runs of the same labelled data",
        )
    for metric in first.metrics:
        if metric in second.metrics and first.signatures[metric] != second.signatures[metric]:
            raise UserError(
                f"{metric} was computed as {first.signatures[metric]} in the first run and as "
                f"{second.signatures[metric]} in the second",
                "Compute both again with `maqa rescore RUN`",
            )


def stack(tables: Sequence[ScoreTable]) -> list[Block]:
    """All columns of all tables, those scored on the same answers side by side, rows in the order of their ids."""
    places = {stratum: place for place, stratum in enumerate(STRATA[:-1])}
    found: dict[tuple[tuple[str, ...], bytes], tuple[npt.NDArray[np.int64], list[Floats], list[tuple[int, str]]]]
    found = {}
    for index, table in enumerate(tables):
        frame = table.frame.sort_values("id", kind="stable")
        ids = frame["id"].to_numpy(dtype=object)
        codes = frame["severity"].map(places).to_numpy(np.int64)
        keys: dict[bytes, tuple[tuple[str, ...], bytes]] = {}
        for metric in table.metrics:
            column = frame[metric].to_numpy(np.float64)
            scored = ~np.isnan(column)
            key = keys.setdefault(scored.tobytes(), (tuple(ids[scored]), codes[scored].tobytes()))
            _, columns, owners = found.setdefault(key, (codes[scored], [], []))
            columns.append(column[scored])
            owners.append((index, metric))
    return [Block(np.column_stack(columns), codes, owners) for codes, columns, owners in found.values()]


def _refuse(name: str, what: str, frame: pd.DataFrame, wrong: pd.Series[bool]) -> None:
    if wrong.any():
        some = ", ".join(repr(str(each)) for each in frame["id"][wrong][:3])
        raise UserError(f"{name}: {what} in {int(wrong.sum())} answers ({some})", _RESCORE)
