"""A gold with everything that could give it away: order, annotators, batches, times, beside texts and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...core.errors import UserError
from ...data.dataset import SPLITS, Dataset
from ...data.folder import is_dataset
from ...data.severity_map import SeverityMap
from ...languages import Language
from ...severity import parse_severity
from ...statistics.agreement import Codes
from ..people.columns import ANNOTATOR, BATCH, FILE, TIME
from ..people.people import same_ids
from ..people.read import read_labels
from ..quality.report_card import Ranks

_REMEDY = "Give a table with the columns id (or question) and severity, one row per label"
_SHOWN = 3
_WANTED = (ANNOTATOR, TIME, BATCH, FILE, "category")


@dataclass(frozen=True)
class GoldTable:
    """n labelled complaints in the order of their file.

    Attributes:
        ids, texts: of each; a text may be empty where nobody gave one.
        ranks: the label, shape (n,); of several annotators what they settled on, else the majority with ties to the
            more severe.
        columns: what else stands beside a label, by name, of each complaint's first row.
        codes: each annotator's rank, shape (n, annotators); one column where nobody is named.
        annotators: their names; empty where nobody is named.
    """

    ids: list[str]
    texts: list[str]
    ranks: Ranks
    columns: dict[str, list[str]]
    codes: Codes
    annotators: list[str]

    @property
    def overlapping(self) -> bool:
        """Whether some complaint has two annotators."""
        return bool(((self.codes >= 0).sum(axis=1) > 1).any())


def read_gold_table(
    path: Path, language: Language, dataset: Dataset | None = None, severities: SeverityMap | None = None
) -> GoldTable:
    """Labels with their circumstances, of a table or a labelled dataset folder.

    Args:
        dataset: whose complaints the ids name, where the gold has no texts itself.
        severities: what its values mean; by default what is known of them.

    Raises:
        UserError: a column is missing, a label unknown, an id not in the dataset, or an annotator labels one twice.
    """
    frame = (
        _of_dataset(path) if is_dataset(path) else _frame(path, language, severities or SeverityMap(None, language))
    )
    if frame.empty:
        raise UserError(f"{path} has no labels", _REMEDY)
    texts = _texts(dataset) if dataset else {}
    if texts:
        known = same_ids(frame["id"], texts)
        frame["id"] = [known[key] for key in frame["id"]]
    if "question" not in frame:
        if strange := [key for key in frame["id"] if key not in texts]:
            raise UserError(
                f"{path}: {len(strange):,} of {len(frame):,} ids are not in "
                f"{dataset.folder if dataset else 'a dataset: none is named'}: {', '.join(strange[:_SHOWN])}",
                "Name the dataset whose ids the gold has",
            )
        frame["question"] = frame["id"].map(texts)
    return _table(frame, path)


def _of_dataset(folder: Path) -> pd.DataFrame:
    from ...data.dataset import open_dataset

    opened = open_dataset(folder)
    frame = pd.concat([opened.split(name) for name in SPLITS], ignore_index=True)
    frame = frame[frame["severity"].notna()]
    return pd.DataFrame(
        {
            "id": frame["id"].astype(str),
            "question": frame["question"].astype(str),
            "rank": [parse_severity(severity).rank for severity in frame["severity"]],
            "category": frame["category"].astype(str),
        }
    ).reset_index(drop=True)


def _frame(path: Path, language: Language, severities: SeverityMap) -> pd.DataFrame:
    rows = [
        {**label.cells, ANNOTATOR: label.annotator, "rank": label.grade.severity.rank, "settled": label.settled}
        for label in read_labels(path, language, severities)
    ]
    frame = pd.DataFrame(rows)
    for name in ("id", "question"):
        if name in frame and (frame[name].isna() | (frame[name] == "")).all():
            del frame[name]
    if not frame[ANNOTATOR].astype(bool).any():
        del frame[ANNOTATOR]
    if "id" not in frame:
        frame["id"] = frame["question"]
    named = frame.columns.difference(["rank", "settled"])
    frame[named] = frame[named].fillna("")
    return frame


def _texts(dataset: Dataset) -> dict[str, str]:
    frame = pd.concat([dataset.split(name)[["id", "question"]] for name in SPLITS])
    return dict(zip(frame["id"].astype(str), frame["question"].astype(str), strict=True))


def _table(frame: pd.DataFrame, path: Path) -> GoldTable:
    settled = frame[frame["settled"]] if "settled" in frame else frame[:0]
    agreed = dict(zip(settled["id"], settled["rank"], strict=True))
    frame = frame.drop(settled.index) if len(settled) < len(frame) else frame
    first = frame.drop_duplicates("id")
    place = {key: number for number, key in enumerate(first["id"])}
    named = ANNOTATOR in frame
    annotators = list(dict.fromkeys(frame[ANNOTATOR])) if named else []
    column = {name: number for number, name in enumerate(annotators)}
    codes: Codes = np.full((len(first), max(1, len(annotators))), -1)
    whose = frame[ANNOTATOR] if named else [""] * len(frame)
    for key, rank, annotator in zip(frame["id"], frame["rank"], whose, strict=True):
        at = place[key], column.get(annotator, 0)
        if codes[at] >= 0:
            who = f" by {annotator}" if named else ""
            raise UserError(f"{path} labels {key!r} twice{who}", "Keep one, or add a column annotator")
        codes[at] = rank
    columns = {name: first[name].astype(str).tolist() for name in _WANTED if name in first}
    ranks = majority(codes)
    ranks = np.array([agreed.get(key, rank) for key, rank in zip(first["id"], ranks, strict=True)], dtype=np.int8)
    return GoldTable(first["id"].tolist(), first["question"].tolist(), ranks, columns, codes, annotators)


def majority(codes: Codes) -> Ranks:
    """The rank that most annotators gave, ties to the more severe, shape (n,)."""
    votes = np.stack([(codes == rank).sum(axis=1) for rank in range(3)], axis=1)
    ranks: Ranks = (2 - votes[:, ::-1].argmax(axis=1)).astype(np.int8)
    return ranks


def in_order(values: Sequence[str]) -> bool:
    """Whether a column has an order of its own, as times and numbers have, and more than a few values."""
    if len(set(values)) <= len(values) // 2:
        return False
    column = pd.Series(list(values))
    numbers = pd.to_numeric(column, errors="coerce")
    return bool(numbers.notna().all() or pd.to_datetime(column, errors="coerce", format="mixed").notna().all())
