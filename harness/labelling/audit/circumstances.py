"""Whether what stands beside a label predicts it: who gave it, in which batch, from which file, of which length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..quality.report_card import Ranks

_EXPECTED = 5.0
"""The fewest that a cell of the table is expected to hold; rarer values are taken together."""
_RARE = "(rare)"


@dataclass(frozen=True)
class Association:
    """How a column goes with the labels: Cramér's V (0 none, 1 whole), bias-corrected, and p by chi-square.

    ``extreme`` is the value whose labels differ most from the others', with its shares by rank in percent.
    """

    column: str
    values: int
    v: float
    p: float
    extreme: str
    shares: tuple[float, ...]


def association(column: str, values: Sequence[str], ranks: Ranks) -> Association | None:
    """Test a column of n values against labels of shape (n,); None where it has one value, or as many as rows.

    V corrected for its bias by Bergsma 2013 (doi 10.1016/j.jkss.2012.10.002).
    """
    names, codes = np.unique(_without_rare(values, ranks), return_inverse=True)
    present = np.unique(ranks)
    if len(names) < 2 or len(present) < 2 or len(names) > len(values) // 2:
        return None
    table = np.zeros((len(names), len(present)))
    np.add.at(table, (codes, np.searchsorted(present, ranks)), 1)
    chi, p, _, expected = stats.chi2_contingency(table, correction=False)
    n = table.sum()
    height, width = table.shape
    phi = max(0.0, chi / n - (height - 1) * (width - 1) / (n - 1))
    smallest = min(height - (height - 1) ** 2 / (n - 1), width - (width - 1) ** 2 / (n - 1)) - 1
    worst = int((((table - expected) ** 2) / expected).sum(axis=1).argmax())
    shares = tuple(float(100 * (ranks[codes == worst] == rank).mean()) for rank in range(3))
    v = float(np.sqrt(phi / smallest)) if smallest > 0 else 0.0
    return Association(column, len(names), v, float(p), str(names[worst]), shares)


def _without_rare(values: Sequence[str], ranks: Ranks) -> list[str]:
    rarest = min(float((ranks == rank).mean()) for rank in np.unique(ranks))
    names, counts = np.unique(list(values), return_counts=True)
    kept = {str(name) for name, count in zip(names, counts, strict=True) if count * rarest >= _EXPECTED}
    return [value if value in kept else _RARE for value in values]


def length_bands(texts: Sequence[str]) -> list[str]:
    """Fifths of the number of words."""
    words = np.array([len(text.split()) for text in texts])
    edges = np.unique(np.quantile(words, [0.2, 0.4, 0.6, 0.8]))
    return [f"band {band}" for band in np.searchsorted(edges, words)]
