"""From score tables to checked columns of scores, stacked so that one bootstrap serves them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..scores.table import ScoreTable
from ..severity import SEVERITIES
from .bootstrap import Floats, Resampled, resample
from .resampling import Resampling

OVERALL = "overall"
STRATA: tuple[str, ...] = (*(str(severity) for severity in SEVERITIES), OVERALL)
"""The rows of every statistic: each severity, and all answers."""


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

    def resampled(self, resampling: Resampling) -> dict[int, Resampled]:
        """The bootstrap of each place in ``STRATA`` that has two rows.

        Overall keeps the strata apart, unless one has a single row, which cannot vary alone: then they are one.
        """
        if len(self.values) < 2:
            return {}
        strata = {
            place: resample([self.stratum(place)], [place], resampling)
            for place in self.places()
            if (self.codes == place).sum() > 1
        }
        if len(strata) == len(self.places()):
            parts = list(strata.values())
            overall = Resampled([part.samples[0] for part in parts], [part.means[0] for part in parts])
            return {**strata, len(SEVERITIES): overall}
        return {**strata, len(SEVERITIES): resample([self.values], [len(SEVERITIES)], resampling)}


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
