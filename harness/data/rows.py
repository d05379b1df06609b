"""A dataset from rows that already stand in their splits, such as a generated sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..core.errors import UserError
from ..core.files import sha256_text
from ..languages import Language
from ..languages.text import Profile, normalise
from ..severity import PROBABILITY_COLUMNS
from .dataset import (
    COLUMNS,
    SPLITS,
    UNKNOWN_CATEGORY,
    Dataset,
    DatasetInfo,
    SeveritySource,
    check_output,
    content_id,
    write_dataset,
)
from .labels import (
    UNLABELLED,
    check_probabilities,
    most_likely,
    one_hot_ranks,
    read_probabilities,
    read_ranks,
    severity_names,
)
from .severity_map import SeverityMap

_REMEDY = "Correct the rows that are given to dataset_from_rows"


def dataset_from_rows(
    splits: Mapping[str, Sequence[Mapping[str, Any]] | pd.DataFrame],
    out: Path,
    *,
    source: str,
    severity_source: SeveritySource | None = None,
    language: Language,
    overwrite: bool = False,
) -> Dataset:
    """Write rows that already stand in their splits as a dataset folder.

    A row has ``question`` and ``answer``, and may have ``id`` (else ``content_id``), ``category`` (else
    ``unknown``), ``severity`` in any known spelling, and all three probabilities. A label without probabilities
    gets them one-hot, probabilities without a label get the most likely one (ties to the more severe). Other keys
    are left out; a split that is not given is empty. No row is dropped: a row without question or answer and a
    question in two splits are errors here.

    Args:
        splits: rows by the name of their split: ``train``, ``validation``, ``test``.
        language: of the questions and answers.
        source: what ``dataset.json`` names as the origin; its ``source_sha256`` is the digest of the rows.
        severity_source: who decided the severities; by default ``column`` if there are any, else ``none``.

    Raises:
        UserError: a row without question or answer, an unknown severity, probabilities that are none, an id or a
            question in two places; ``out`` cannot be written or is in use.
    """
    if foreign := set(splits) - set(SPLITS):
        raise UserError(f"unknown split {sorted(foreign)[0]!r}", f"Use {', '.join(SPLITS)}")
    check_output(out, overwrite)
    frames = {name: _frame(name, splits.get(name, [])) for name in SPLITS}
    _check_apart(frames, language)
    labelled = any(frame["severity"].notna().any() for frame in frames.values())
    digest = sha256_text("".join(frames[name].to_json(orient="records", force_ascii=False) for name in SPLITS))
    info = DatasetInfo(
        language=language.code,
        source=source,
        source_sha256=digest,
        severity_source=severity_source or SeveritySource(name="column" if labelled else "none", version="1"),
        cleaning={"read": (rows := sum(map(len, frames.values()))), "dropped": {}, "kept": rows},
    )
    return write_dataset(out, frames, info)


def _frame(split: str, rows: Sequence[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    def where(row: int) -> str:
        return f"{split} row {row + 1}"

    columns = _columns(rows)
    for name in ("question", "answer"):
        for row, text in enumerate(columns[name]):
            if not isinstance(text, str) or not text.strip():
                raise UserError(f"{where(row)} has no {name}", _REMEDY)
    ranks = read_ranks(_text(columns["severity"]), where, SeverityMap())
    probabilities = read_probabilities([_text(columns[name]) for name in PROBABILITY_COLUMNS])
    absent = np.array(
        [all(columns[name][row] is None for name in PROBABILITY_COLUMNS) for row in range(len(ranks))], bool
    )
    present = np.flatnonzero(~absent)
    check_probabilities(probabilities[present], lambda row: where(int(present[row])))
    probabilities = np.where(absent[:, None], one_hot_ranks(ranks), probabilities)
    ranks = np.where(absent | (ranks != UNLABELLED), ranks, most_likely(np.nan_to_num(probabilities)))
    pairs = zip(columns["id"], columns["question"], columns["answer"], strict=True)
    table = {
        "id": [content_id(question, answer) if given is None else str(given) for given, question, answer in pairs],
        "question": columns["question"],
        "answer": columns["answer"],
        "category": [str(value) if value else UNKNOWN_CATEGORY for value in columns["category"]],
        "severity": severity_names(ranks).to_pandas(),
    }
    frame = pd.DataFrame(table | dict(zip(PROBABILITY_COLUMNS, probabilities.T, strict=True)))
    return frame[list(COLUMNS)]


def _columns(rows: Sequence[Mapping[str, Any]] | pd.DataFrame) -> dict[str, list[Any]]:
    if isinstance(rows, pd.DataFrame):
        frame = rows.reindex(columns=list(COLUMNS)).astype(object)
        return {name: frame[name].where(frame[name].notna(), None).tolist() for name in COLUMNS}
    return {name: [row.get(name) for row in rows] for name in COLUMNS}


def _text(values: list[Any]) -> pa.Array:
    return pa.array([None if value is None else str(value) for value in values], pa.large_string())


def _check_apart(frames: Mapping[str, pd.DataFrame], language: Language) -> None:
    ids: dict[str, str] = {}
    questions: dict[str, tuple[str, str]] = {}
    for split, frame in frames.items():
        for row, (identity, question) in enumerate(zip(frame["id"], frame["question"], strict=True), start=1):
            place = f"{split} row {row}"
            if (other := ids.setdefault(identity, place)) != place:
                raise UserError(f"{place} has the id {identity!r} of {other}", _REMEDY)
            key = normalise(question, Profile.METRIC, language)
            first_split, first_place = questions.setdefault(key, (split, place))
            if first_split != split:
                raise UserError(f"{place} has the question of {first_place}", "Keep a question in one split")
