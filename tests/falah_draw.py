"""Which real answers of FALAH-Mix the third author read, and the digests that stand for their texts.

Rows are counted from 0 in the order of the workbook. Nothing here prints or keeps a text.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

FALAH = Path(__file__).parents[2] / "shared" / "data" / "falah-mix" / "FALAH-Mix.xlsx"
SEED = 20261127
ANSWERS = 320
ALTERED = 60
SWAPPED = 60


def digest(text: str) -> str:
    """SHA-256 of a cell as it stands in the workbook."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def real_rows(workbook: Path = FALAH) -> pd.DataFrame:
    """Columns ``question``, ``answer`` and ``category`` of every row, as written."""
    table = pd.read_excel(workbook, dtype=str, keep_default_na=False)
    return table.rename(columns=str.lower)[["question", "answer", "category"]]


def drawn(count: int) -> list[int]:
    """``ANSWERS`` different rows of ``count``, in ascending order."""
    rng = np.random.default_rng(SEED)
    return sorted(int(row) for row in rng.choice(count, size=ANSWERS, replace=False))


def swapped(categories: list[str]) -> list[tuple[int, int]]:
    """``SWAPPED`` pairs of a drawn question and a drawn row whose answer it gets: half of the same category."""
    rng = np.random.default_rng(SEED + 1)
    rows = drawn(len(categories))
    pairs = []
    for at, question in enumerate(rng.choice(rows, size=SWAPPED, replace=False)):
        same = at % 2 == 0
        others = [row for row in rows if row != question and (categories[row] == categories[question]) is same]
        pairs.append((int(question), int(rng.choice(others))))
    return pairs
