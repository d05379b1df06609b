"""Which rows never stand on both sides of a fold.

Rows of nearly one text always stay together. Beyond that whole categories do, since a new complaint may come from
any; where the data names fewer than two, or where the order of the file tells of the label, blocks of neighbouring
rows do instead. A union of categories and blocks would join nearly all rows, so only one of them is taken; texts
that are alike across its borders go where most of them are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...harness.data.dataset import CLUSTER
from ...harness.data.near_duplicates import near_duplicates
from ...harness.labelling.audit.order import order_found
from ...harness.labelling.quality.report_card import Ranks
from ...harness.languages import Language
from ...harness.languages.text import Profile, normalise

_BLOCK = 20
"""Rows of a block at least: as many as the audit looks at around a row."""
_BLOCKS = 50
"""Blocks at most."""
_TELLS, _LEVEL = 0.1, 0.05
"""Kappa of a label with its neighbours', and its p, from which the order tells of the label, as in the audit."""
_NUMBERED = re.compile(r"(\D*)(\d+)")


def group_rows(frame: pd.DataFrame, ranks: Ranks, language: Language) -> tuple[list[str], str]:
    """The group of each row, and what they are grouped by, in words.

    Args:
        frame: rows of a dataset with a label. ranks: their labels, shape (n,).
    """
    clusters = _clusters(frame, language)
    categories = frame["category"].astype(str).tolist()
    order = _file_order(frame["id"].astype(str).tolist())
    if order is not None and _tells(ranks[order]):
        circumstance, words = _blocks(order), "blocks of neighbouring rows (the file's order tells of the label)"
    elif len(set(categories)) > 1:
        circumstance, words = categories, "category"
    elif order is not None:
        circumstance, words = _blocks(order), "blocks of neighbouring rows"
    else:
        return [str(each) for each in clusters], "near-duplicates"
    most: dict[int, Counter[str]] = {}
    for cluster, value in zip(clusters.tolist(), circumstance, strict=True):
        most.setdefault(cluster, Counter())[value] += 1
    return [
        most[cluster].most_common(1)[0][0] for cluster in clusters.tolist()
    ], f"{words}, near-duplicates together"


def _clusters(frame: pd.DataFrame, language: Language) -> npt.NDArray[np.int64]:
    """Rows of nearly one text share a number, shape (n,)."""
    texts = pd.factorize(
        np.array([normalise(text, Profile.METRIC, language) for text in frame["question"]], dtype=object)
    )
    of_row, distinct = texts[0].astype(np.int64), [str(text) for text in texts[1]]
    if CLUSTER in frame:
        codes = pd.factorize(frame[CLUSTER])[0].astype(np.int64)
        known = codes >= 0
        pairs = np.column_stack([of_row[known], len(distinct) + codes[known]])
        nodes = len(distinct) + int(codes.max(initial=-1)) + 1
    else:
        pairs = near_duplicates(len(distinct), lambda places: [distinct[place] for place in places])
        nodes = len(distinct)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes))
    joined = connected_components(graph, directed=False)[1]
    return np.asarray(joined[of_row], dtype=np.int64)


def _file_order(ids: Sequence[str]) -> npt.NDArray[np.intp] | None:
    """Places of the rows in the order of their file, where the ids number them; None where they do not."""
    found = [_NUMBERED.fullmatch(each) for each in ids]
    parts = [(match.group(1), int(match.group(2))) for match in found if match]
    numbers = [number for _, number in parts]
    if len(parts) < len(ids) or len({prefix for prefix, _ in parts}) != 1 or len(set(numbers)) < len(ids):
        return None
    return np.argsort(np.array(numbers, dtype=object), kind="stable")


def _tells(ranks: Ranks) -> bool:
    found = order_found(ranks)
    return found is not None and found.kappa >= _TELLS and found.kappa_p < _LEVEL


def _blocks(order: npt.NDArray[np.intp]) -> list[str]:
    size = max(_BLOCK, -(-len(order) // _BLOCKS))
    blocks = np.empty(len(order), dtype=np.int64)
    blocks[order] = np.arange(len(order)) // size
    return [f"block {block}" for block in blocks.tolist()]
