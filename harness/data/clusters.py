"""Which rows belong together: by a column of the source, else by questions that are nearly the same.

Rows of the same question always do. What belongs together stays in one split, since a paraphrase in training would
give the answer away, and counts together in every test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..core.errors import UserError
from ..languages import Language
from ..languages.sentences import sentence, together
from ..languages.text import Profile, normalise
from .cleaning import Rows
from .digests import Digests, changes, sort_keys
from .near_duplicates import GRAM, SHORT, SHORT_SIMILARITY, SIMILARITY, near_duplicates

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """``names`` has the cluster of each row, None for a row alone; ``keys`` a digest that the rows of a cluster
    share, shape (n, 2). ``about`` is what ``dataset.json`` says of it."""

    names: list[str | None]
    keys: Digests
    about: dict[str, Any]

    def __str__(self) -> str:
        """In one line."""
        column = self.about.get("column")
        how = sentence("clusters.near") if column is None else sentence("clusters.column", column=repr(column))
        if not self.about["clusters"]:
            return sentence("clusters.none", how=how)
        counted = {name: f"{self.about[name]:,}" for name in ("rows", "clusters", "largest")}
        said = sentence("clusters.some", **counted, how=how)
        without = self.about.get("without")
        return together([said, sentence("clusters.without", rows=f"{without:,}")]) if without else said


def cluster_rows(rows: Rows, language: Language, column: str | None, where: str) -> Clusters:
    """The clusters of the rows.

    Args:
        rows: their questions, and with ``column`` their clusters.
        language: of the questions.
        column: what the source calls the column of clusters; None to look for near-duplicates.
        where: the source, for errors.

    Raises:
        UserError: the column puts all rows in one cluster.
    """
    order = np.lexsort(sort_keys(rows.group))
    first = changes(rows.group[order])
    group = np.empty(len(rows), np.int64)
    group[order] = np.cumsum(first) - 1
    leaders = order[first]
    about: dict[str, Any]
    if column is None:
        pairs = _near(rows, leaders, language)
        about = {
            "method": "near-duplicates",
            "similarity": SIMILARITY,
            "short_similarity": SHORT_SIMILARITY,
            "short": SHORT,
            "gram": GRAM,
        }
        given = None
    else:
        given = rows.texts["cluster"].to_pandas()
        pairs = _by_value(group, given)
        about = {"method": "column", "column": column, "without": int(given.isna().sum())}
    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(leaders), len(leaders)))
    _, labels = connected_components(graph, directed=False)
    of_row = labels[group]
    sizes = np.bincount(of_row)
    if column is not None and len(sizes) == 1 and len(rows) > 1:
        raise UserError(
            f"{where}: the column {column!r} puts all {len(rows)} rows in one cluster, which allows no test",
            "Name the column that tells cases apart with --cluster-column, or rename that one",
        )
    # The groups are in the order of their digests, so that no order of the rows changes a key.
    head = np.unique(labels, return_index=True)[1]
    keys = rows.group[leaders[head]][of_row]
    named = _names(of_row, sizes, keys, given)
    together = sizes[sizes > 1]
    about |= {"clusters": len(together), "rows": int(together.sum()), "largest": int(sizes.max(initial=0))}
    return Clusters(named, keys, about)


def joins_any(rows: Rows) -> bool:
    """Whether the rows' column of clusters has a value twice."""
    return bool(rows.texts["cluster"].to_pandas().dropna().duplicated().any())


def _near(rows: Rows, leaders: Places, language: Language) -> Places:
    questions = rows.texts["question"]

    def texts(places: Sequence[int]) -> list[str]:
        taken = questions.take(leaders[np.asarray(places)])
        return [normalise(text, Profile.METRIC, language) for text in taken.to_pylist()]

    return near_duplicates(len(leaders), texts)


def _by_value(group: Places, given: pd.Series) -> Places:
    """Each group with the first one that has the same cluster."""
    frame = pd.DataFrame({"group": group, "cluster": given}).dropna()
    frame["first"] = frame.groupby("cluster")["group"].transform("first")
    return frame[["group", "first"]].to_numpy(np.int64)


def _names(of_row: Places, sizes: Places, keys: Digests, given: pd.Series | None) -> list[str | None]:
    names = np.array([f"{high:016x}" for high in keys[:, 0].tolist()], dtype=object)
    if given is not None:
        smallest = given.groupby(of_row).min().reindex(range(len(sizes))).to_numpy(dtype=object)[of_row]
        names = np.where(pd.isna(smallest), names, smallest)
    names[sizes[of_row] == 1] = None
    return list(names)
