"""How far a cell is: a file that is replaced at each of its steps, and a lock while somebody works on it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from ...harness.core.errors import UserError
from ...harness.core.files import read_json, write_json
from ...harness.core.holding import Holder, holder
from ...harness.core.settings import Record

FOLDER = "cells"


class State(StrEnum):
    """What is known of a cell."""

    DONE = "done"
    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"


class CellStatus(Record):
    """The content of ``cells/<label>.json``.

    ``state`` is ``running`` from its first step on, also after a kill: the lock beside the file tells whether
    anybody works on it. ``step`` is the step at hand, begun at the time ``begun`` (seconds since 1970); ``seconds``
    is what each step took in all; ``peak_memory_bytes`` of ``device_memory_bytes`` were taken at most, of the GPU
    where there is one, else of the process. ``finished`` names the steps that are done, ``reason`` says why another
    one failed, ``traceback`` where it is a defect. ``seal`` is known of what is done: see ``seals``.
    """

    state: State
    step: str = ""
    host: str = ""
    begun: float = 0.0
    seconds: dict[str, float] = {}
    peak_memory_bytes: int | None = None
    device_memory_bytes: int | None = None
    finished: list[str] = []
    reason: str = ""
    traceback: str = ""
    seal: str = ""


def status_file(out: Path, label: str) -> Path:
    """Where the status of a cell or floor stands."""
    return out / FOLDER / f"{label}.json"


def lock_file(out: Path, label: str) -> Path:
    """Its lock, which is there while it is worked on."""
    path = status_file(out, label)
    return path.with_name(f".{path.stem}" + ".json.lock")


def read_status(out: Path, label: str) -> CellStatus | None:
    """What is known of a cell or floor; None where nothing is."""
    try:
        return CellStatus.model_validate(read_json(status_file(out, label), "Run the experiment again"))
    except (UserError, ValidationError):
        # Nothing else hangs on it: the cell's own files say what is done.
        return None


def write_status(out: Path, label: str, status: CellStatus) -> None:
    """Replace it.

    Raises:
        UserError: it cannot be written.
    """
    write_json(status_file(out, label), status.model_dump(mode="json"))


def worker_of(out: Path, label: str) -> Holder | None:
    """Who works on a cell or floor now."""
    return holder(lock_file(out, label))


def sweep(out: Path) -> None:
    """Take away what kills left of status files that were being written."""
    for path in (out / FOLDER).rglob(".*.json"):
        path.unlink(missing_ok=True)
