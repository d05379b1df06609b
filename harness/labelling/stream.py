"""Labelling a dataset in batches: resumable, in order, the text untouched."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import UserError
from ..core.files import atomic, read_json, write_json
from ..core.folders import disk_told
from ..core.holding import sole
from ..core.memory import peak_bytes, reset_peak
from ..data.dataset import SPLITS, Dataset, DatasetInfo, check_output, open_dataset, write_dataset
from ..data.dataset import SeveritySource as SourceRecord
from ..data.folder import NOTE as DATASET_NOTE
from ..data.labels import UNLABELLED, one_hot_ranks, severity_names
from ..languages import Language
from ..severity import PROBABILITY_COLUMNS, Severity
from .drift import drift_of
from .possible import named_sets, sets_given
from .prior import filled, without_letters
from .quality.conformal import Conformal
from .quality.trust import carry_card
from .reasons import read_parts, reason_columns, write_part
from .sources.base import BY_PEOPLE, Labels, Probabilities, SeveritySource, labels_of, scale_of
from .sources.decisions import called
from .weights import by_scheme

BATCH_ROWS = 4096
COST = "labelling_cost.json"
"""In the labelled dataset's folder: rows, seconds and peak memory of the process that labelled last."""
_WORK = ".labelling"
_DONE = ".labelling-done"
_NOTE = "identity.json"
_WHOLE = "whole"
"""In the working folder: the labelled dataset, all of it, on its way to its place."""

Batch = tuple[str, int, list[str]]
"""Split, first row, questions."""
Engine = Callable[[SeveritySource, Iterable[Batch]], Iterable[tuple[Batch, Labels]]]
"""Runs a source over batches; yields each batch with its labels, in any order."""


@dataclass(frozen=True)
class LabelCounts:
    """How the rows of a dataset came by their severity.

    ``expert`` were labelled by people, ``unknown`` got the prior because the source did not know, and
    ``without_letters`` got it because the complaint is empty or has no letter of the language.
    """

    rows: int
    expert: int
    source: int
    unknown: int
    without_letters: int

    @property
    def unknown_pct(self) -> float:
        """Share of the rows that no source decided."""
        return 100 * (self.unknown + self.without_letters) / max(self.rows, 1)


def counts_of(info: DatasetInfo) -> LabelCounts:
    """The counts of a dataset that was labelled."""
    return LabelCounts(**{each.name: info.labelling[each.name] for each in fields(LabelCounts)})


def plain(source: SeveritySource, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Labels]]:
    """Run the source in this process, batch by batch."""
    for batch in batches:
        yield batch, labels_of(source, batch[2])


def finish_labelling(out: Path) -> bool:
    """Move a labelled dataset that a kill held up into its place, and remove what one left of work that was done.

    Returns whether there was one to move.
    """
    shutil.rmtree(out / _DONE, ignore_errors=True)
    work = out / _WORK
    whole = work / _WHOLE
    if not whole.is_dir():
        return False
    # Last what makes the others a dataset, and only then what knows of the work.
    for path in sorted(whole.iterdir(), key=lambda path: path.name == DATASET_NOTE):
        path.replace(out / path.name)
    shutil.rmtree(work.rename(out / _DONE))
    return True


def check_label_output(dataset: Dataset, source: SeveritySource, out: Path) -> None:
    """Refuse to replace labels: a labelled dataset is labelled anew only into another folder, whoever labelled it.

    Raises:
        UserError: ``out`` is the dataset itself and has labels of another source, or ``out`` is in use.
    """
    if out.resolve() != dataset.folder.resolve():
        if {path.name for path in out.glob("*")} != {_WORK}:
            check_output(out, overwrite=False)
        return
    labelled = sum(counts["rows"] - counts["unlabelled"] for counts in dataset.info.counts.values())
    if labelled and source.name != "column":
        raise UserError(
            f"{out} has {labelled:,} labels already (severity source: {dataset.info.severity_source.name})",
            "Name a new folder for the result with --out",
        )


def label_dataset(
    dataset: Dataset,
    source: SeveritySource,
    out: Path,
    *,
    engine: Engine = plain,
    progress: Callable[[int], None] = lambda rows: None,
    promise: Conformal | None = None,
    known: Sequence[Path] = (),
) -> tuple[Dataset, LabelCounts]:
    """Label every row and write the dataset to ``out``, which may be its own folder if it has no labels yet.

    Finished batches are kept under ``out`` until the dataset is whole, so that a run that was stopped goes on where
    it stood.

    Args:
        progress: called with the number of rows that were finished since the last call.
        promise: what the source's report card promises of sets of severities; without it the dataset has none.
        known: further folders that may have the source's report card, which goes to its place with the labels.

    Raises:
        UserError: ``out`` holds labels or cannot be written to, or people's labels are wanted and there are none.
    """
    record = SourceRecord(name=source.name, version=source.version, sha256=source.sha256 or None)
    if (
        out.resolve() == dataset.folder.resolve()
        and dataset.info.severity_source == record
        and dataset.info.labelling
    ):
        return dataset, counts_of(dataset.info)
    ours = _begun(out / _WORK, dataset, source)
    if finish_labelling(out) and ours:
        whole = open_dataset(out)
        return whole, counts_of(whole.info)
    check_label_output(dataset, source, out)
    started = time.perf_counter()
    reset_peak()
    frames = {name: dataset.split(name) for name in SPLITS}
    people = dataset.info.severity_source.name == "column" and source.keeps_expert_labels
    if source.name == "column" and not (
        people and any(frame["severity"].notna().any() for frame in frames.values())
    ):
        raise UserError(
            f"{dataset.folder} has no labels by people (severity source: {dataset.info.severity_source.name})",
            "Prepare a file with a severity column, name it with --severity-column, or label --with rules",
        )
    with disk_told(f"cannot write {out}", "Make room, or choose a folder that you may write to"):
        out.mkdir(parents=True, exist_ok=True)
        with sole(out, f"{out} is being labelled by another process"):
            return _label(
                dataset, source, out, record, frames, engine, progress, promise, known, started, people=people
            )


def _label(
    dataset: Dataset,
    source: SeveritySource,
    out: Path,
    record: SourceRecord,
    frames: dict[str, pd.DataFrame],
    engine: Engine,
    progress: Callable[[int], None],
    promise: Conformal | None,
    known: Sequence[Path],
    started: float,
    *,
    people: bool,
) -> tuple[Dataset, LabelCounts]:
    work = out / _WORK
    _begin(work, dataset, source)
    places = [
        (name, start, min(BATCH_ROWS, len(frame) - start))
        for name, frame in frames.items()
        for start in range(0, len(frame), BATCH_ROWS)
    ]
    missing = [place for place in places if not _part(work, *place[:2]).exists()]
    progress(sum(rows for *_, rows in places) - sum(rows for *_, rows in missing))
    batches = (
        (name, start, frames[name]["question"].iloc[start : start + rows].tolist()) for name, start, rows in missing
    )
    for (name, start, questions), found in engine(source, batches):
        with atomic(_part(work, name, start)) as temporary:
            write_part(temporary, found)
        progress(len(questions))
    parts = {
        split: read_parts([_part(work, name, start) for name, start, _ in places if name == split])
        for split in SPLITS
    }
    labelled, counts = _finish(frames, parts, source, dataset.language, promise, people=people)
    questions = [question for frame in frames.values() for question in frame["question"]]
    labelling = {
        **asdict(counts),
        "unknown_pct": round(counts.unknown_pct, 2),
        "weights": {name: each.model_dump() for name, each in by_scheme(labelled).items()},
        "drift": drift_of(source, questions, dataset.language).model_dump(),
        **({"sets": sets_given(labelled, promise)} if promise else {}),
    }
    info = dataset.info.model_copy(
        update={"severity_source": record, "labelling": labelling, "discriminators": scale_of(source)}
    )
    writing = work / "writing"
    shutil.rmtree(writing, ignore_errors=True)
    result = write_dataset(writing, labelled, info)
    for folder in (dataset.folder, *known):
        carry_card(folder, result)
    write_json(
        writing / COST,
        {
            "rows": sum(rows for *_, rows in missing),
            "seconds": round(time.perf_counter() - started, 3),
            "peak_memory_bytes": peak_bytes(),
        },
    )
    writing.rename(work / _WHOLE)
    finish_labelling(out)
    return Dataset(out, result.info), counts


def _begin(work: Path, dataset: Dataset, source: SeveritySource) -> None:
    if work.exists() and not _begun(work, dataset, source):
        shutil.rmtree(work)
    write_json(work / _NOTE, _identity(dataset, source))


def _begun(work: Path, dataset: Dataset, source: SeveritySource) -> bool:
    """Whether what lies there is of this dataset and source."""
    note = work / _NOTE
    return note.exists() and read_json(note, f"Remove {work}") == _identity(dataset, source)


def _identity(dataset: Dataset, source: SeveritySource) -> dict[str, Any]:
    return {
        "dataset": dataset.info.sha256,
        "source": [source.name, source.version, source.sha256],
        "batch_rows": BATCH_ROWS,
    }


def _part(work: Path, split: str, start: int) -> Path:
    return work / f"{split}-{start:09d}.parquet"


def _finish(
    frames: dict[str, pd.DataFrame],
    parts: dict[str, Labels],
    source: SeveritySource,
    language: Language,
    promise: Conformal | None,
    *,
    people: bool,
) -> tuple[dict[str, pd.DataFrame], LabelCounts]:
    fill = source.name not in BY_PEOPLE
    totals = np.zeros(4, dtype=int)
    labelled = {}
    for name, frame in frames.items():
        found, expert = parts[name], np.zeros(len(frame), dtype=bool)
        probabilities = found.probabilities
        blank = without_letters(frame["question"].tolist(), language)
        probabilities[blank] = np.nan
        unknown = np.isnan(probabilities).any(axis=1)
        if fill:
            probabilities = filled(probabilities, language)
        empty = np.isnan(probabilities).any(axis=1)
        ranks = np.where(empty, UNLABELLED, called(source, np.nan_to_num(probabilities), unknown))
        if people:
            expert = frame["severity"].notna().to_numpy()
            probabilities[expert] = _by_people(frame[expert])
            ranks[expert] = [Severity(value).rank for value in frame.loc[expert, "severity"]]
        columns = dict(zip(PROBABILITY_COLUMNS, probabilities.T, strict=True))
        possible = named_sets(probabilities, frame["question"], promise) if promise else None
        reasons = reason_columns(found, ~expert & ~unknown, possible) if fill else {}
        labelled[name] = frame.assign(severity=severity_names(ranks).to_pandas(), **columns, **reasons)
        decided = [expert, ~expert & ~unknown, ~expert & unknown & ~blank, ~expert & blank]
        totals += [int(rows.sum()) for rows in decided]
    return labelled, LabelCounts(sum(map(len, frames.values())), *map(int, totals))


def _by_people(frame: pd.DataFrame) -> Probabilities:
    given = frame[list(PROBABILITY_COLUMNS)].to_numpy(np.float64)
    ranks = np.array([Severity(value).rank for value in frame["severity"]], dtype=np.int8)
    return np.where(np.isnan(given), one_hot_ranks(ranks), given)
