"""Severities and probabilities of a batch of rows: read, checked, and completed from each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ..core.errors import UserError
from ..severity import PROBABILITY_COLUMNS, SEVERITIES
from .columns import PROBABILITIES, Role
from .severity_map import OPTION, SeverityMap

SUM_TOLERANCE = 1e-3 + 1e-9
"""Numbers rounded to three digits can sum to 0.999 or 1.001, which floats miss by a little."""
UNLABELLED = -1
_SHOWN = 12
Ranks = npt.NDArray[np.int8]
Probabilities = npt.NDArray[np.float64]
Where = Callable[[int], str]
"""Names the file and row of a position in the batch, for an error."""

_NAMES = {severity.rank: str(severity) for severity in SEVERITIES}


def read_ranks(values: pa.Array, where: Where, severities: SeverityMap) -> Ranks:
    """Ranks 0, 1, 2 of severities as a map reads them, shape (n,); an empty cell is ``UNLABELLED``.

    Raises:
        UserError: severities that the map misses; names all of them, how often each stands there, and the map to
            begin with.
    """
    encoded = values.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    ranks = np.full(len(encoded.dictionary) + 1, UNLABELLED, dtype=np.int8)
    problems: list[tuple[int, str, UserError]] = []
    for code, value in enumerate(encoded.dictionary.to_pylist()):
        if not value.strip():
            continue
        try:
            ranks[code] = severities.of(value).severity.rank
        except UserError as error:
            problems.append((code, value, error))
    if problems:
        code, _, first = problems[0]
        row = int(np.argmax(codes == code))
        rest = "" if len(problems) == 1 else f"; not known are {_tally(problems, codes)}"
        before, option, _ = first.remedy.partition(OPTION)
        whole = severities.to_begin_with(encoded.dictionary.to_pylist()) if option else ""
        raise UserError(f"{where(row)}: {first.problem}{rest}", before + whole)
    result: Ranks = ranks[codes]
    return result


def _tally(problems: Sequence[tuple[int, str, UserError]], codes: npt.NDArray[np.int64]) -> str:
    rows = sorted(((int((codes == code).sum()), value) for code, value, _ in problems), reverse=True)
    told = ", ".join(f"{value!r} ({count:,})" for count, value in rows[:_SHOWN])
    return told + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")


def severity_names(ranks: Ranks) -> pa.Array:
    """Severities of ranks as strings; ``UNLABELLED`` becomes null."""
    names = pa.array([_NAMES[rank] for rank in range(len(_NAMES))], pa.large_string())
    return names.take(pa.array(ranks, mask=ranks == UNLABELLED))


def read_probabilities(columns: Sequence[pa.Array]) -> Probabilities:
    """Three columns of text as numbers, shape (n, 3); NaN where a cell is empty or no number."""
    numbers = [pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(np.float64) for column in columns]
    return np.column_stack(numbers)


class LabelReader:
    """Reads severities and probabilities of one file, batch by batch; its first row shows their scale, 1 or 100."""

    def __init__(self, severities: SeverityMap) -> None:
        self.severities = severities
        self._scale: float | None = None

    def read(self, columns: Mapping[Role, pa.Array], rows: int, where: Where) -> tuple[Ranks, Probabilities]:
        """Ranks, shape (n,), and probabilities, shape (n, 3), each completed from the other where the file has one.

        A label without probabilities gets them one-hot; probabilities without a label get the most likely one, ties
        to the more severe. Three empty cells are no probabilities. With neither: ``UNLABELLED`` and NaN.

        Raises:
            UserError: an unknown severity, or probabilities that are none or on another scale than the first row's.
        """
        ranks = np.full(rows, UNLABELLED, dtype=np.int8)
        if Role.SEVERITY in columns:
            ranks = read_ranks(columns[Role.SEVERITY], where, self.severities)
        if Role.P_CRITICAL not in columns:
            return ranks, one_hot_ranks(ranks)
        cells = [columns[role] for role in PROBABILITIES]
        probabilities = read_probabilities(cells)
        absent = np.logical_and.reduce([column.is_null().to_numpy(zero_copy_only=False) for column in cells])
        present = np.flatnonzero(~absent)
        if len(present) and self._scale is None:
            self._scale = 100.0 if abs(probabilities[present[0]].sum() - 100) <= 100 * SUM_TOLERANCE else 1.0
        probabilities /= self._scale or 1.0
        check_probabilities(probabilities[present], lambda row: where(int(present[row])))
        likely = np.where(absent, UNLABELLED, most_likely(np.nan_to_num(probabilities)))
        ranks = np.where(ranks == UNLABELLED, likely, ranks)
        return ranks, np.where(absent[:, None], one_hot_ranks(ranks), probabilities)


def one_hot_ranks(ranks: Ranks) -> Probabilities:
    """Probabilities of certain labels, shape (n, 3); NaN where there is no label."""
    table = np.vstack([np.eye(3), np.full(3, np.nan)])
    return table[ranks]


def most_likely(probabilities: Probabilities) -> Ranks:
    """Rank of the largest probability, shape (n,); a tie goes to the more severe."""
    ranks: Ranks = (2 - np.argmax(probabilities[:, ::-1], axis=1)).astype(np.int8)
    return ranks


def check_probabilities(probabilities: Probabilities, where: Where) -> None:
    """Demand of every row of shape (n, 3) three numbers in [0, 1] that sum to 1 within ``SUM_TOLERANCE``.

    Raises:
        UserError: a row does not.
    """
    columns = ", ".join(PROBABILITY_COLUMNS)
    if (row := _first(~np.isfinite(probabilities).all(axis=1))) is not None:
        raise UserError(
            f"{where(row)}: a probability is missing or no number",
            f"Give three probabilities ({columns}) in every row",
        )
    if (row := _first(((probabilities < 0) | (probabilities > 1 + SUM_TOLERANCE)).any(axis=1))) is not None:
        raise UserError(
            f"{where(row)}: probabilities {_show(probabilities[row])} are not all between 0 and 1",
            "Give probabilities, or percentages in all rows",
        )
    sums = probabilities.sum(axis=1)
    if (row := _first(np.abs(sums - 1) > SUM_TOLERANCE)) is not None:
        raise UserError(
            f"{where(row)}: probabilities {_show(probabilities[row])} sum to {sums[row]:.6g}, not to 1",
            f"Make {columns} of every row sum to 1 (or 100 in all rows)",
        )


def _first(bad: npt.ArrayLike) -> int | None:
    rows = np.flatnonzero(bad)
    return int(rows[0]) if len(rows) else None


def _show(row: npt.NDArray[np.float64]) -> str:
    return ", ".join(f"{value:.6g}" for value in row)
