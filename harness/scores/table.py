"""The score table: one row per answer, one column per metric, with every metric's signature."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from ..core.errors import UserError
from ..core.files import atomic
from ..core.records import validated
from .encoder_check import EncoderCheck
from .findings import COLUMN as FINDINGS

FORMAT_VERSION = 3
KEY_COLUMNS: tuple[str, str] = ("id", "severity")
CLUSTER = "cluster"
"""A column of tables whose run says which questions belong together: the name of each answer's cluster."""
_KEY = b"maqa_severity"
_RESCORE = "Compute it again with `maqa rescore RUN`"


@dataclass(frozen=True)
class ScoreTable:
    """``frame`` has the columns ``id``, ``severity``, ``cluster`` where that is known, and one per metric
    (percentages); ``signatures`` one each.

    ``findings`` holds what the detectors found in each row (``findings.from_text`` reads it); None where the scores
    are from before findings were kept, or are means over several answers. ``safe`` is each row's quality × gate
    where a row is a mean over several answers, whose gates it does not hold. ``encoder_check`` is what was found of
    the encoder behind BERTScore; None where nobody looked.
    """

    frame: pd.DataFrame
    signatures: dict[str, str]
    safe: pd.Series | None = None
    findings: pd.Series | None = None
    encoder_check: EncoderCheck | None = None

    @property
    def metrics(self) -> list[str]:
        """The metric columns, in their order."""
        return [column for column in self.frame.columns if column not in (*KEY_COLUMNS, CLUSTER)]

    @property
    def keys(self) -> list[str]:
        """The columns that are no metrics."""
        return [*KEY_COLUMNS, *([CLUSTER] if CLUSTER in self.frame else [])]

    def only(self, metrics: Sequence[str]) -> ScoreTable:
        """The table with these metrics alone."""
        return ScoreTable(self.frame[[*self.keys, *metrics]], self.signatures)


class _Note(BaseModel):
    """What the file's metadata says beside the columns."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format_version: int
    signatures: dict[str, str]
    encoder_check: EncoderCheck | None = None


def write_scores(path: Path, scores: ScoreTable) -> None:
    """Write ``scores.parquet`` atomically, signatures in the file's metadata."""
    frame = scores.frame
    if scores.findings is not None:
        frame = frame.assign(**{FINDINGS: scores.findings.to_numpy()})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    said = _Note(format_version=FORMAT_VERSION, signatures=scores.signatures, encoder_check=scores.encoder_check)
    note = said.model_dump_json(exclude_none=True)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: note.encode()})
    with atomic(path) as temporary:
        pq.write_table(table, temporary)


def read_scores(path: Path) -> ScoreTable:
    """Read ``scores.parquet``.

    Raises:
        UserError: the file is missing, no parquet, foreign, of a newer format, or lacks a key column.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", _RESCORE) from None
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path} is not a readable parquet file: {error}", _RESCORE) from error
    note = (table.schema.metadata or {}).get(_KEY)
    if note is None:
        raise UserError(f"{path} was not written by maqa-severity", _RESCORE)
    try:
        raw = json.loads(note)
    except ValueError as error:
        raise UserError(f"{path}: its metadata is not JSON: {error}", _RESCORE) from None
    version = raw.get("format_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise UserError(f"{path} has the newer format {version}", "Update maqa-severity")
    said = validated(_Note, raw, f"{path} metadata", _RESCORE)
    signatures = said.signatures
    for column in KEY_COLUMNS:
        if column not in table.column_names:
            raise UserError(f"{path} has no column {column!r}", _RESCORE)
    frame = table.to_pandas()
    found = frame.pop(FINDINGS) if FINDINGS in frame and FINDINGS not in signatures else None
    return ScoreTable(frame, signatures, findings=found, encoder_check=said.encoder_check)
