"""The dataset folder: ``train.parquet``, ``validation.parquet``, ``test.parquet`` and ``dataset.json``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import UserError
from ..core.files import atomic, read_json, sha256_file, sha256_text, unfinished, write_json
from ..core.records import validated
from ..core.settings import Record
from ..languages import DEFAULT, Language, language
from ..severity import PROBABILITY_COLUMNS, SEVERITIES, Severity
from .folder import NOTE

SPLITS: tuple[str, ...] = ("train", "validation", "test")
COLUMNS: tuple[str, ...] = ("id", "question", "answer", "category", "severity", *PROBABILITY_COLUMNS)
CLUSTER = "cluster"
"""A column of datasets of which it is known which rows belong together: a name, null for a row alone."""
REFERENCES = "references"
"""A column of datasets in which a question has several answers: all of a row's, ``answer`` the first."""
REASON_COLUMNS: tuple[str, ...] = ("level", "discriminators", "confidence", "possible")
"""Why ``maqa label`` gave a row its severity, and which ones it may have: files may lack these columns."""
SCHEMA_VERSION = 1
UNKNOWN_CATEGORY = "unknown"
_TEXT = pa.large_string()
# Given outright: a split without rows or labels must not change the types of its file.
_SCHEMA = pa.schema([(name, pa.float64() if name in PROBABILITY_COLUMNS else _TEXT) for name in COLUMNS])
_REASONS = pa.schema(
    [("level", pa.int8()), ("discriminators", _TEXT), ("confidence", pa.float64()), ("possible", _TEXT)]
)
_PREPARE = "Make a dataset with `maqa prepare SOURCE --out DATASET`"


class SeveritySource(Record):
    """Who decided the severities: ``none``, ``column``, ``rules``, ``classifier`` or ``hybrid``."""

    name: str
    version: str
    sha256: str | None = None


class DatasetInfo(Record):
    """The content of ``dataset.json``; ``discriminators`` names the triage scale of its labels, or is ``none``."""

    schema_version: int = SCHEMA_VERSION
    language: str
    source: str
    source_sha256: str
    severity_source: SeveritySource
    cleaning: dict[str, Any]
    clusters: dict[str, Any] = {}
    labelling: dict[str, Any] = {}
    discriminators: str = "none"
    counts: dict[str, dict[str, int]] = {}
    sha256: dict[str, str] = {}


@dataclass(frozen=True)
class Dataset:
    """A dataset folder that was checked on opening. Splits are read when asked for."""

    folder: Path
    info: DatasetInfo

    def split(self, name: str) -> pd.DataFrame:
        """Rows of one split with the columns ``COLUMNS``, ``CLUSTER`` and ``REFERENCES`` where known; severity and
        probabilities may be missing (unlabelled).

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
        return frame[[*COLUMNS, *(name for name in (CLUSTER, REFERENCES) if name in frame)]]

    def reasons(self, name: str) -> pd.DataFrame:
        """Why each row of a split has its severity: the columns ``REASON_COLUMNS``, in the split's order.

        ``discriminators`` is JSON. Null where people or nobody decided, and in a dataset from before these columns.

        Raises:
            UserError: the split's file is missing or was changed.
        """
        rows = len(self.split(name))
        path = self.folder / f"{name}.parquet"
        there = [column for column in REASON_COLUMNS if column in pq.read_schema(path).names]
        frame = pd.read_parquet(path, columns=there) if there else pd.DataFrame(index=range(rows))
        empty = _REASONS.empty_table().to_pandas()
        return pd.DataFrame({c: frame[c] if c in there else empty[c].reindex(frame.index) for c in REASON_COLUMNS})

    @property
    def language(self) -> Language:
        """The language of its questions and answers.

        Raises:
            UserError: it is not known here.
        """
        return language(self.info.language)

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
    path = folder / NOTE
    info = validated(DatasetInfo, read_json(path, _PREPARE), str(path), _PREPARE)
    if info.schema_version != SCHEMA_VERSION:
        raise UserError(f"{path} has schema_version {info.schema_version}, not {SCHEMA_VERSION}", _PREPARE)
    for name, digest in info.sha256.items():
        split = folder / f"{name}.parquet"
        if not split.is_file():
            raise UserError(f"{split} does not exist", _PREPARE)
        if sha256_file(split) != digest:
            raise UserError(f"{split} was changed since {path} was written", _PREPARE)
    return Dataset(folder, info)


def language_asked(folder: Path | None, code: str | None) -> Language:
    """The language of a dataset, which says its own; without a dataset that of ``code``, else the default.

    Raises:
        UserError: it is not known here, the dataset cannot be read, or ``code`` is another than the dataset's.
    """
    if folder is None:
        return language(code or DEFAULT)
    found = open_dataset(folder).language
    if code is not None and language(code).code != found.code:
        raise UserError(
            f"{folder} is in {found.name} ({found.code}), not in {code}",
            "Leave the language out: a dataset says its own",
        )
    return found


def content_id(question: str, answer: str) -> str:
    """The id of a row that has none: 16 hexadecimal digits of the SHA-256 of question and answer."""
    return sha256_text(f"{question}\x1f{answer}")[:16]


def check_output(folder: Path, overwrite: bool, source: Path | None = None) -> None:
    """Refuse an output folder that holds anything else than a dataset, or a dataset unless ``overwrite``, which may
    not replace what is read: ``source`` as a dataset, or a file of one. One that a kill left half written is no
    dataset yet, and is written anew.

    Raises:
        UserError: so it is.
    """
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"cannot use {folder}: {error.strerror}", "Give another folder with --out") from error
    if not names:
        return
    begun = NOTE not in names and unfinished(folder / NOTE)
    if NOTE not in names and not begun:
        raise UserError(f"{folder} holds files but no {NOTE}", "Give a new or empty folder with --out")
    if not (overwrite or begun):
        raise UserError(f"{folder} holds a dataset", "Replace it with --overwrite or give another folder")
    replaced = [folder, folder / NOTE, *(folder / f"{name}.parquet" for name in SPLITS)]
    if source is not None and source.exists() and any(each.exists() and each.samefile(source) for each in replaced):
        raise UserError(f"{folder} holds {source}, which is read", "Give another folder with --out")


def write_dataset(folder: Path, splits: Mapping[str, pd.DataFrame], info: DatasetInfo) -> Dataset:
    """Write all splits and ``dataset.json``; counts and digests are filled in here.

    All files are written beside their places first and moved together, ``dataset.json`` last: a failure leaves the
    folder as it was, and a folder that has its ``dataset.json`` is whole.

    Raises:
        UserError: the folder cannot be written to.
    """
    made = not folder.exists()
    try:
        with ExitStack() as files:
            # Entered first, therefore moved last.
            note = files.enter_context(atomic(folder / NOTE))
            counts: dict[str, dict[str, int]] = {}
            digests: dict[str, str] = {}
            for name in SPLITS:
                path = files.enter_context(atomic(folder / f"{name}.parquet"))
                fields = [*_SCHEMA]
                if all(CLUSTER in split for split in splits.values()):
                    fields.append(pa.field(CLUSTER, _TEXT))
                if all(REFERENCES in split for split in splits.values()):
                    fields.append(pa.field(REFERENCES, pa.list_(_TEXT)))
                if set(REASON_COLUMNS) <= set(splits[name].columns):
                    fields += _REASONS
                columns = [field.name for field in fields]
                table = pa.Table.from_pandas(splits[name][columns], schema=pa.schema(fields), preserve_index=False)
                pq.write_table(table, path)
                counts[name] = count_severities(splits[name])
                digests[name] = sha256_file(path)
            info = info.model_copy(update={"counts": counts, "sha256": digests})
            write_json(note, info.model_dump())
            (folder / NOTE).unlink(missing_ok=True)
    except BaseException as error:
        if made:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise UserError(f"cannot write {folder}: {error}", "Make room, or choose another folder") from error
        raise
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
