"""The dataset folder: ``train.parquet``, ``validation.parquet``, ``test.parquet`` and ``dataset.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import UserError
from ..files import atomic, read_json, sha256_file, write_json
from ..severity import PROBABILITY_COLUMNS, SEVERITIES, Severity

SPLITS: tuple[str, ...] = ("train", "validation", "test")
COLUMNS: tuple[str, ...] = ("id", "question", "answer", "category", "severity", *PROBABILITY_COLUMNS)
SCHEMA_VERSION = 1
_PREPARE = "Make a dataset with `maqa prepare SOURCE --out DATASET`"


class SeveritySource(BaseModel):
    """Who decided the severities: ``none``, ``column``, ``rules``, ``classifier`` or ``hybrid``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    sha256: str | None = None


class DatasetInfo(BaseModel):
    """The content of ``dataset.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = SCHEMA_VERSION
    language: str = "ar"
    source: str
    source_sha256: str
    severity_source: SeveritySource
    cleaning: dict[str, Any]
    counts: dict[str, dict[str, int]] = {}
    sha256: dict[str, str] = {}


@dataclass(frozen=True)
class Dataset:
    """A dataset folder that was checked on opening. Splits are read when asked for."""

    folder: Path
    info: DatasetInfo

    def split(self, name: str) -> pd.DataFrame:
        """Rows of one split with the columns ``COLUMNS``; severity and probabilities may be missing (unlabelled).

        Raises:
            UserError: the split's file is missing or was changed.
        """
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            raise UserError(f"{path} does not exist", _PREPARE)
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise UserError(f"{path} is not a readable parquet file: {error}", _PREPARE) from error
        if missing := set(COLUMNS) - set(frame.columns):
            raise UserError(f"{path} lacks the columns {', '.join(sorted(missing))}", _PREPARE)
        return frame[list(COLUMNS)]

    @property
    def fingerprint(self) -> str:
        """Identity of the data in a manifest: the digest of the test split's file."""
        return self.info.sha256["test"]


def open_dataset(folder: Path) -> Dataset:
    """Open a dataset folder.

    Raises:
        UserError: the folder, its ``dataset.json`` or a key of it is missing or foreign, or a split was changed.
    """
    if not folder.is_dir():
        raise UserError(f"dataset folder {folder} does not exist", _PREPARE)
    path = folder / "dataset.json"
    try:
        info = DatasetInfo.model_validate(read_json(path, _PREPARE))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path} key {key!r}: {first['msg']}", _PREPARE) from None
    if info.schema_version != SCHEMA_VERSION:
        raise UserError(f"{path} has schema_version {info.schema_version}, not {SCHEMA_VERSION}", _PREPARE)
    for name, digest in info.sha256.items():
        split = folder / f"{name}.parquet"
        if not split.is_file():
            raise UserError(f"{split} does not exist", _PREPARE)
        if sha256_file(split) != digest:
            raise UserError(f"{split} was changed since {path} was written", _PREPARE)
    return Dataset(folder, info)


def write_dataset(folder: Path, splits: Mapping[str, pd.DataFrame], info: DatasetInfo) -> Dataset:
    """Write all splits and then ``dataset.json``, each atomically; counts and digests are filled in here.

    ``dataset.json`` is taken away first and written last, so a folder that has it is whole.
    """
    (folder / "dataset.json").unlink(missing_ok=True)
    counts: dict[str, dict[str, int]] = {}
    digests: dict[str, str] = {}
    for name in SPLITS:
        frame = splits[name][list(COLUMNS)]
        path = folder / f"{name}.parquet"
        with atomic(path) as temporary:
            frame.to_parquet(temporary, index=False)
        counts[name] = count_severities(frame)
        digests[name] = sha256_file(path)
    info = info.model_copy(update={"counts": counts, "sha256": digests})
    write_json(folder / "dataset.json", info.model_dump())
    return Dataset(folder, info)


def count_severities(frame: pd.DataFrame) -> dict[str, int]:
    """Rows in all, per severity, and without one (``unlabelled``)."""
    counts = frame["severity"].value_counts()
    return {
        "rows": len(frame),
        **{str(severity): int(counts.get(str(severity), 0)) for severity in SEVERITIES},
        "unlabelled": int(frame["severity"].isna().sum()),
    }


def stratum(frame: pd.DataFrame, severity: Severity) -> pd.DataFrame:
    """The rows of one severity, in their order."""
    return frame[frame["severity"] == str(severity)]
