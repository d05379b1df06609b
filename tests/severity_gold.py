"""Real complaints with adjudicated levels, and the severity sources that are held against them."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pandas as pd
from maqa_severity.harness.data.dataset import SPLITS, open_dataset
from maqa_severity.harness.severity import CLASS_OF_LEVEL
from maqa_severity.tests.falah_draw import FALAH

LEVELS = Path(__file__).parent / "data" / "falah_levels.csv"
COST = 10.0
RULES = "rules"
GoldRows = list[dict[str, str | None]]


def prepared(folder: Path) -> pd.DataFrame:
    """The complaints of FALAH-Mix as ``maqa prepare`` keeps them, by id."""
    command = [sys.executable, "-m", "maqa_severity", "prepare", str(FALAH), "--out", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    dataset = open_dataset(folder)
    return pd.concat([dataset.split(name) for name in SPLITS]).set_index("id")


def gold_rows(complaints: pd.DataFrame, levels: Path = LEVELS, column: str = "level") -> GoldRows:
    """The complaints that ``levels`` has, as rows of a dataset with the class of the level in ``column``."""
    found: GoldRows = []
    with levels.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            kept = complaints.loc[row["id"]]
            texts = {name: str(kept[name]) for name in ("question", "answer", "category")}
            found.append({"id": row["id"], **texts, "severity": str(CLASS_OF_LEVEL[int(row[column])])})
    return found


def sources(encoder: Path | None) -> dict[str, dict[str, object]]:
    """Settings of the classifier of each source by name, none for the rules; frozen vectors want an encoder."""
    kinds: dict[str, dict[str, object]] = {
        RULES: {},
        "tfidf": {"kind": "tfidf"},
        "tfidf+rules": {"kind": "stacked"},
    }
    if encoder is not None:
        base = {"base": str(encoder), "prefix": "query: "}
        kinds["e5"] = {"kind": "embedding", **base}
        kinds["tfidf+e5+rules"] = {"kind": "stacked", **base}
    return kinds
