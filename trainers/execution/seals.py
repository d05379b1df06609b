"""Whether a finished cell was touched since: so that going on need not read all weights of all cells again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...harness.core.files import sha256_text
from ...harness.generation.store.lines import digest
from ...harness.runs.manifest import NAME as RUN_MANIFEST
from ..experiments.config import training_config
from ..lm.manifest import Status, seen
from .job import Job
from .status import State, read_status


def seal(job: Job, label: str) -> str:
    """Digest of all that a cell or floor was made from and of what it left.

    Data and settings count by content, files of checkpoint and runs by name, size and time. Where it differs, the
    cell is done again, which looks at everything closely and does only what is missing.
    """
    experiment = job.experiment
    cell = job.cells.get(label)
    folders = [job.run(label, preset) for preset in experiment.evaluation.decodings]
    made_from: dict[str, Any] = {
        "data": job.dataset.info.sha256,
        "evaluation": experiment.evaluation.model_dump(mode="json"),
        "encoder": job.encoder,
        "environment": job.environment(),
    }
    if cell is not None:
        config = training_config(experiment, cell.model, cell.seed)
        made_from |= {
            "arm": cell.arm.model_dump(mode="json"),
            "training": config.model_dump(mode="json"),
            "model": cell.model.model_dump(mode="json"),
        }
        folders.append(cell.checkpoint)
    marks = [mark for folder in folders for mark in _marks(folder)]
    return sha256_text(digest(made_from) + "".join(marks))


def sealed(job: Job, label: str) -> bool:
    """Whether a cell or floor is done and was not touched since."""
    status = read_status(job.out, label)
    if status is None or status.state is not State.DONE or not status.seal:
        return False
    cell = job.cells.get(label)
    runs = [job.run(label, preset) / RUN_MANIFEST for preset in job.experiment.evaluation.decodings]
    whole = (cell is None or seen(cell.checkpoint) is Status.DONE) and all(run.is_file() for run in runs)
    return whole and status.seal == seal(job, label)


def _marks(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found = path.stat()
            yield f"{path.relative_to(folder)} {found.st_size} {found.st_mtime_ns}\n"
