"""Which complaints of FALAH-Mix judge the labelling as a private set would.

Neither those that have a level already, nor their near-duplicates, nor those whose answers the third author read.
Nothing here prints or keeps a text.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from maqa_severity.tests.falah_draw import FALAH, SEED, digest, drawn, real_rows

DATA = Path(__file__).parent / "data"
READ = DATA / "falah_levels.csv"
UNREAD = DATA / "falah_unread.csv"
COMPLAINTS = 160


def unread(dataset: pd.DataFrame, workbook: Path = FALAH) -> list[str]:
    """Ids of ``COMPLAINTS`` rows of ``dataset`` (``id``, ``question``, ``cluster``), in ascending order."""
    with READ.open(encoding="utf-8") as stream:
        read = {row["id"] for row in csv.DictReader(stream)}
    questions = real_rows(workbook)["question"]
    third = {digest(questions[row]) for row in drawn(len(questions))}
    ids = dataset["id"].astype(str)
    near = set(dataset.loc[ids.isin(read), "cluster"].dropna())
    known = ids.isin(read) | dataset["question"].map(digest).isin(third) | dataset["cluster"].isin(near)
    rng = np.random.default_rng(SEED + 2)
    return sorted(rng.choice(np.sort(ids[~known].to_numpy(dtype=str)), size=COMPLAINTS, replace=False).tolist())
