"""What people said of complaints: who gave which label, joined with the complaints of a dataset."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...core.errors import UserError
from ...core.files import sha256_file, sha256_text
from ...data.columns import Role
from ...data.dataset import SPLITS, Dataset
from ...data.severity_map import SeverityMap
from ...languages.text import Profile, normalise
from ...severity import Severity, whole_number
from ...statistics.agreement import Codes
from .layouts import Label
from .read import read_labels

ONE = "one annotator"
_SHOWN = 3


@dataclass(frozen=True)
class People:
    """Labels of n complaints.

    Attributes:
        ids, questions: of each complaint.
        annotators: k of them; ``ONE`` where a single one has no name.
        ranks: each annotator's label, shape (n, k), -1 where there is none.
        levels: of triage where that was said, shape (n, k), 0 where not.
        settled: what was settled on among the annotators, shape (n,), -1 where the files do not say it.
        sha256: digest of the files and of what their values were read as.
    """

    ids: list[str]
    questions: list[str]
    annotators: list[str]
    ranks: Codes
    levels: npt.NDArray[np.int8]
    settled: Codes
    sha256: str


def read_people(paths: Sequence[Path], dataset: Dataset, severities: SeverityMap) -> People:
    """The labels of files for the complaints of a dataset, by id, else by question.

    An annotator whom a file does not name is called by the file where there are several. Ids may have lost or won a
    ``.0`` in a sheet, and may be in the digits of any script.

    Raises:
        UserError: a file cannot be read, names complaints that the dataset lacks, or an annotator labels one twice.
    """
    complaints = _Complaints(dataset)
    table: dict[tuple[str, str], Label] = {}
    settled: dict[str, Label] = {}
    for path in paths:
        labels = read_labels(path, dataset.language, severities)
        keys = complaints.of(labels, path, dataset)
        for key, label in zip(keys, labels, strict=True):
            who = label.annotator or (path.stem if len(paths) > 1 else ONE)
            other = settled.setdefault(key, label) if label.settled else table.setdefault((key, who), label)
            if other is not label:
                by = "" if label.settled or not label.annotator else f" by {who}"
                raise UserError(
                    f"{label.where} labels {key!r} a second time{by} ({other.where} did)",
                    "Keep one of the two, or name the annotators in a column annotator",
                )
    if not table:
        table = {(key, ONE): label for key, label in settled.items()}
    ids = list(dict.fromkeys([*(key for key, _ in table), *settled]))
    annotators = list(dict.fromkeys(who for _, who in table))
    at = {key: place for place, key in enumerate(ids)}
    column = {who: place for place, who in enumerate(annotators)}
    ranks: Codes = np.full((len(ids), len(annotators)), -1)
    levels = np.zeros(ranks.shape, np.int8)
    for (key, who), label in table.items():
        ranks[at[key], column[who]] = label.grade.severity.rank
        levels[at[key], column[who]] = label.grade.level or 0
    agreed: Codes = np.full(len(ids), -1)
    for key, label in settled.items():
        agreed[at[key]] = label.grade.severity.rank
    meaning = "".join(f"{value}\x1f{grade.severity}\n" for value, grade in sorted(severities.read.items()))
    digest = sha256_text("".join(map(sha256_file, paths)) + meaning)
    return People(ids, [complaints.texts[key] for key in ids], annotators, ranks, levels, agreed, digest)


def of_own_column(dataset: Dataset) -> People:
    """The labels that people gave in the dataset's own column, with its probabilities left out.

    Raises:
        UserError: there are none, or no people gave them.
    """
    frame = pd.concat([dataset.split(name) for name in SPLITS], ignore_index=True)
    frame = frame[frame["severity"].notna()]
    source = dataset.info.severity_source
    if frame.empty or source.name != "column":
        raise UserError(
            f"{dataset.folder} has no labels by people (severity source: {source.name})",
            "Prepare a file with a severity column, or leave --with column out",
        )
    ranks: Codes = np.array([[Severity(each).rank] for each in frame["severity"]], dtype=np.int64)
    none: Codes = np.full(len(frame), -1)
    return People(
        frame["id"].astype(str).tolist(),
        frame["question"].tolist(),
        [ONE],
        ranks,
        np.zeros(ranks.shape, np.int8),
        none,
        source.sha256 or "",
    )


def same_ids(given: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """The id that a dataset knows for each given one: ``12.0`` and one in Arabic digits are its ``12``."""
    ids = set(known)
    by_number = {_plain(key): key for key in ids}
    return {key: key if key in ids else by_number.get(_plain(key), key) for key in given}


class _Complaints:
    """The complaints of a dataset, found by id or text."""

    def __init__(self, dataset: Dataset) -> None:
        frame = pd.concat([dataset.split(name)[["id", "question"]] for name in SPLITS], ignore_index=True)
        self._tongue = dataset.language
        self.texts = dict(zip(frame["id"].astype(str), frame["question"], strict=True))
        self._by_number = {_plain(key): key for key in self.texts}
        self._by_text: dict[str, str] = {}

    def of(self, labels: Sequence[Label], path: Path, dataset: Dataset) -> list[str]:
        """The id of each label's complaint.

        Raises:
            UserError: the dataset lacks some.
        """
        found = [self._key(label) for label in labels]
        if strange := [label for label, key in zip(labels, found, strict=True) if key is None]:
            named = [
                label.cells.get(str(Role.ID)) or label.cells.get(str(Role.QUESTION), "")[:40] for label in strange
            ]
            names = list(dict.fromkeys(named))
            raise UserError(
                f"{path}: {len(names):,} complaints are not in {dataset.folder}: {', '.join(names[:_SHOWN])}",
                "Use the dataset whose ids the file names, or leave these rows out",
            )
        return [key for key in found if key is not None]

    def _key(self, label: Label) -> str | None:
        if key := label.cells.get(str(Role.ID)):
            return key if key in self.texts else self._by_number.get(_plain(key))
        if not self._by_text:
            self._by_text = {self._text(text): key for key, text in self.texts.items()}
        return self._by_text.get(self._text(label.cells.get(str(Role.QUESTION), "")))

    def _text(self, text: str) -> str:
        return normalise(text, Profile.METRIC, self._tongue)


def _plain(key: str) -> str:
    number = whole_number(key)
    return unicodedata.normalize("NFKC", key).strip() if number is None else str(number)
