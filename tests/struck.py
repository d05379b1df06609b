"""A command in a process of its own, which is killed at a moment, or at one of the changes that it makes to files.

The process is forked from one that has the libraries loaded, so that a moment strikes the work and not the imports.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from maqa_severity.tests.writers import run

_LIBRARIES = ("pandas", "pyarrow.parquet", "scipy.stats", "sklearn.linear_model", "transformers", "torch")
_CHANGES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate")
"""Python's audit events of what changes files; reading is no ``open`` of these."""

SCRATCH = "scratch"
"""Beside the output: where a command finds the system's folder for temporary files."""


@dataclass(frozen=True)
class Ended:
    """A command that was not killed: its exit status, what it said of errors, its seconds, its changes to files."""

    status: int
    error: str
    seconds: float
    changes: int


def ended(words: Sequence[object], folder: Path, after: float | None = None, change: int = 0) -> Ended | None:
    """Run ``maqa`` with these words in ``folder``.

    Args:
        after: seconds after which its process group is killed.
        change: the change to files, counted from 1, before which it is killed.

    Returns:
        None if it was killed.
    """
    forked = multiprocessing.get_context("forkserver")
    forked.set_forkserver_preload([__name__, "maqa_severity.cli", *_LIBRARIES])
    ours, theirs = forked.Pipe(duplex=False)
    process = forked.Process(target=_work, args=([str(word) for word in words], folder, change, theirs))
    process.start()
    theirs.close()
    try:
        ours.recv()
        began = time.monotonic()
        if not ours.poll(after):
            os.killpg(process.pid or 0, signal.SIGKILL)
        status, error, changes = ours.recv()
    except EOFError:
        process.join()
        if process.exitcode != -signal.SIGKILL:
            raise AssertionError(f"died of itself: {process.exitcode}") from None
        return None
    seconds = time.monotonic() - began
    process.join()
    return Ended(status, error, seconds, changes)


def _work(words: list[str], folder: Path, change: int, pipe: Connection) -> None:
    os.setsid()
    os.chdir(folder)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder / SCRATCH)
    (folder / SCRATCH).mkdir(exist_ok=True)
    made = 0

    def count(event: str, given: tuple[Any, ...]) -> None:
        nonlocal made
        if event in _CHANGES and _of(folder, event, given):
            made += 1
            if made == change:
                os.killpg(0, signal.SIGKILL)

    sys.addaudithook(count)
    pipe.send("begun")
    status, _, error = run(words)
    pipe.send((status, error, made))


def _of(folder: Path, event: str, given: tuple[Any, ...]) -> bool:
    """Whether it is a change below a folder, which the process stands in."""
    if event == "open" and not (given[2] or 0) & (os.O_WRONLY | os.O_RDWR):
        return False
    path = os.fsdecode(given[0]) if isinstance(given[0], str | bytes | os.PathLike) else "/"
    return folder in Path(path).absolute().parents
