"""From score tables to checked columns of scores, stacked so that one bootstrap serves them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..scores.table import CLUSTER, ScoreTable
from ..severity import SEVERITIES
from .bootstrap import Floats, Resampled, resample
from .cluster_bootstrap import resampled_clusters
from .clusters import Ints, Units, numbered, sharing_clusters, units_of
from .resampling import Resampling

OVERALL = "overall"
STRATA: tuple[str, ...] = (*(str(severity) for severity in SEVERITIES), OVERALL)
"""The rows of every statistic: each severity, and all answers."""


@dataclass(frozen=True)
class Block:
    """Columns that are scored on the same answers: ``values`` (n, k); ``codes`` (n,), the place in ``SEVERITIES``.

    ``owners`` says for each column which table it is from and its metric; ``clusters`` (n,) which answers belong
    together, None where each stands alone.
    """

    values: Floats
    codes: npt.NDArray[np.int64]
    owners: Sequence[tuple[int, str]]
    clusters: Ints | None = None

    def of(self, values: Floats, owners: Sequence[tuple[int, str]] = ()) -> Block:
        """The same answers with other columns."""
        return replace(self, values=values, owners=owners)

    def stratum(self, place: int) -> Floats:
        """The rows of one place in ``STRATA``."""
        return self.values if place == len(SEVERITIES) else self.values[self.codes == place]

    def together(self, place: int) -> Ints | None:
        """The clusters of the rows of one place in ``STRATA``; None where each stands alone."""
        if self.clusters is None or place == len(SEVERITIES):
            return self.clusters
        return numbered(self.clusters[self.codes == place])

    def units(self, place: int) -> Units:
        """What is flipped as one in one place in ``STRATA``."""
        return units_of(self.stratum(place), self.together(place))

    def places(self) -> list[int]:
        """The severities that occur."""
        return [int(place) for place in np.unique(self.codes)]

    def resampled(self, resampling: Resampling) -> dict[int, Resampled]:
        """The bootstrap of each place in ``STRATA`` that has two rows, or clusters.

        Overall keeps the strata apart, unless one has a single row, which cannot vary alone: then they are one.
        """
        if len(self.values) < 2:
            return {}
        if self.clusters is not None:
            return resampled_clusters(self.values, self.codes, self.clusters, resampling)
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
    blocks: dict[tuple[tuple[str, ...], bytes, bytes], Block] = {}
    columns: dict[tuple[tuple[str, ...], bytes, bytes], list[Floats]] = {}
    owners: dict[tuple[tuple[str, ...], bytes, bytes], list[tuple[int, str]]] = {}
    for index, table in enumerate(sharing_clusters(tables)):
        frame = table.frame.sort_values("id", kind="stable")
        ids = frame["id"].to_numpy(dtype=object)
        codes = frame["severity"].map(places).to_numpy(np.int64)
        names = frame[CLUSTER].to_numpy() if CLUSTER in frame else None
        keys: dict[bytes, tuple[tuple[str, ...], bytes, bytes]] = {}
        for metric in table.metrics:
            column = frame[metric].to_numpy(np.float64)
            scored = ~np.isnan(column)
            if (key := keys.get(scored.tobytes())) is None:
                clusters = None if names is None else numbered(names[scored])
                together = b"" if clusters is None else clusters.tobytes()
                key = keys[scored.tobytes()] = (tuple(ids[scored]), codes[scored].tobytes(), together)
                blocks.setdefault(key, Block(np.empty((0, 0)), codes[scored], [], clusters))
            columns.setdefault(key, []).append(column[scored])
            owners.setdefault(key, []).append((index, metric))
    return [block.of(np.column_stack(columns[key]), owners[key]) for key, block in blocks.items()]
