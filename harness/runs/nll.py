"""How likely a model finds the reference answers: the file of it, its summary, and a run's share."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from ..core.errors import UserError
from ..core.files import atomic, sha256_text
from ..core.records import validated
from ..scores.table import KEY_COLUMNS, ScoreTable
from ..severity import SEVERITIES
from ..statistics.columns import OVERALL

NAME = "nll.parquet"
"""In the folder of a checkpoint, and of a run of it."""

METRIC = "nll"
SPLITS = ("validation", "test")
UNLABELLED = "unlabelled"
_FORMAT_VERSION = 1
_KEY = b"maqa_severity"
_COLUMNS = ["id", "severity", "split", "tokens", "nll"]
_MEASURE = "Measure it with `maqa nll CHECKPOINT DATASET`"


class _Note(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    format_version: int = _FORMAT_VERSION
    signature: str
    rows_sha256: dict[str, str]


@dataclass(frozen=True)
class Likelihoods:
    """``frame`` has a row per question: ``id``, ``severity`` (missing where nobody knows it), ``split``, ``tokens``
    of the reference answer that were predicted (its end among them), and ``nll``, the sum of their negative
    log-likelihoods in nats. ``rows_sha256`` are digests of the questions and answers of each split."""

    frame: pd.DataFrame
    signature: str
    rows_sha256: dict[str, str]


def rows_sha256(rows: pd.DataFrame) -> str:
    """Digest of rows of a dataset: ids, questions and answers in their order, whatever their labels."""
    return sha256_text(rows[["id", "question", "answer"]].to_json(orient="values", force_ascii=False))


def write_nll(path: Path, found: Likelihoods) -> None:
    """Write ``nll.parquet`` atomically, signature and digests in the file's metadata.

    Raises:
        UserError: it cannot be written.
    """
    table = pa.Table.from_pandas(found.frame[_COLUMNS], preserve_index=False)
    note = _Note(signature=found.signature, rows_sha256=found.rows_sha256).model_dump_json()
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata({_KEY: note.encode()}), temporary)


def read_nll(path: Path) -> Likelihoods | None:
    """Read ``nll.parquet``; None where there is no such file.

    Raises:
        UserError: it is damaged, foreign or of a newer format.
    """
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path} is not a readable parquet file: {error}", _MEASURE) from error
    try:
        raw = json.loads((table.schema.metadata or {})[_KEY])
    except (KeyError, ValueError):
        raise UserError(f"{path} was not written by maqa-severity", _MEASURE) from None
    if isinstance(raw, dict) and raw.get("format_version", 0) > _FORMAT_VERSION:
        raise UserError(f"{path} has the newer format {raw['format_version']}", "Update maqa-severity")
    note = validated(_Note, raw, f"{path} metadata", _MEASURE)
    if missing := [column for column in _COLUMNS if column not in table.column_names]:
        raise UserError(f"{path} has no column {missing[0]!r}", _MEASURE)
    frame = table.to_pandas()
    if bad := frame["id"][~np.isfinite(frame["nll"]) | (frame["nll"] < 0) | (frame["tokens"] < 1)].tolist():
        raise UserError(f"{path}: the likelihood of {bad[0]!r} is impossible", _MEASURE)
    return Likelihoods(frame, note.signature, note.rows_sha256)


def strata_of(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each severity that occurs, of none, and all of them."""
    found = {str(severity): frame[frame["severity"] == str(severity)] for severity in SEVERITIES}
    found |= {UNLABELLED: frame[frame["severity"].isna()], OVERALL: frame}
    return {name: rows for name, rows in found.items() if len(rows)}


def summary(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Of rows with ``severity``, ``tokens`` and ``nll``, by stratum: how many ``rows`` and ``tokens``, their mean
    likelihood over tokens (``token_mean``) and over examples of each one's own mean (``example_mean``), in nats per
    token, and the ``perplexity``, exp of the first."""
    return {
        name: {
            "rows": len(rows),
            "tokens": int(rows["tokens"].sum()),
            "token_mean": (mean := float(rows["nll"].sum() / rows["tokens"].sum())),
            "example_mean": float((rows["nll"] / rows["tokens"]).mean()),
            # A model may be so far off that no float holds it.
            "perplexity": math.exp(mean) if mean < 700 else None,
        }
        for name, rows in strata_of(frame).items()
    }


def keep_nll(run: Path, checkpoint: Path, test: pd.DataFrame, ids: Sequence[str]) -> None:
    """Copy a checkpoint's likelihoods of the questions that a run asked into the run's folder.

    Nothing is kept where the checkpoint has none, or has them of other test rows.

    Args:
        run: the run's folder.
        checkpoint: a folder, or what only looks like one.
        test: the test rows of the dataset that the run asked of.
        ids: which of them it asked.

    Raises:
        UserError: the checkpoint's file cannot be read, or ours cannot be written.
    """
    found = read_nll(checkpoint / NAME)
    if found is None or found.rows_sha256.get("test") != rows_sha256(test):
        (run / NAME).unlink(missing_ok=True)
        return
    rows = found.frame[(found.frame["split"] == "test") & found.frame["id"].isin(set(ids))]
    write_nll(run / NAME, Likelihoods(rows.reset_index(drop=True), found.signature, found.rows_sha256))


def run_nll(folder: Path, answers: pd.DataFrame) -> ScoreTable | None:
    """The likelihood of each reference answer of a run, in nats per token, in the order of its answers: a table
    with the one column ``nll``. None where the run has none.

    Args:
        folder: of the run.
        answers: with ``id`` and ``severity``.

    Raises:
        UserError: the file is damaged or lacks a question.
    """
    found = read_nll(folder / NAME)
    if found is None:
        return None
    per_token = (found.frame["nll"] / found.frame["tokens"]).set_axis(found.frame["id"])
    if missing := answers["id"][~answers["id"].isin(per_token.index)].tolist():
        raise UserError(f"{folder / NAME} lacks the question {missing[0]!r}", "Evaluate it again")
    frame = answers[list(KEY_COLUMNS)].assign(**{METRIC: per_token.loc[answers["id"]].to_numpy()})
    return ScoreTable(frame.reset_index(drop=True), {METRIC: found.signature})
