"""Folders that are either whole or absent, and the room on the disk for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import UserError
from .holding import sole
from .refused import refusal

_MARGIN_BYTES = 64 * 2**20
"""Left free beside what is written: a full disk breaks more than this program."""


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Yield a new folder beside ``out`` that becomes ``out`` on success and is removed on failure.

    What a killed process left is removed by the next one that writes to the same place.

    Raises:
        UserError: ``out`` exists and is no empty folder, nothing can be written there, another process is writing
            it, or the disk fails while it is written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not an empty folder", "Name a new folder with --out")
    work = out.absolute().parent / f".{out.name}.partial"
    with disk_told(f"cannot write {out}", "Make room, or choose a folder that you may write to"):
        work.mkdir(parents=True, exist_ok=True)
        with sole(work, f"another process is writing {out}"):
            try:
                _empty(work)
                yield work
                _finish(work)
                if out.exists():
                    out.rmdir()
                work.rename(out)
            finally:
                shutil.rmtree(work, ignore_errors=True)


@contextmanager
def disk_told(problem: str, remedy: str) -> Iterator[None]:
    """Within, what the system refuses is one line: the problem, and the system's reason; so a full disk.

    Raises:
        UserError: it refused something.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if (found := refusal(error)) is None:
            raise
        raise UserError(f"{problem}: {found.reason}", remedy) from error


@contextmanager
def working_in(out: Path) -> Iterator[None]:
    """Within, this process alone writes to a folder, which is made; it is gone again where nothing was written.

    Raises:
        UserError: another process writes to it, or it cannot be made.
    """
    existed = out.exists()
    if existed and not out.is_dir():
        raise UserError(f"{out} is no folder", "Name a new folder with --out")
    with disk_told(f"cannot write {out}", "Make room, or choose a folder that you may write to"):
        out.mkdir(parents=True, exist_ok=True)
    try:
        with sole(out, f"another process is writing {out}"):
            yield
    finally:
        if not existed:
            # Where it is empty; what else is there was written.
            with suppress(OSError):
                out.rmdir()


def demand_space(place: Path, needed_bytes: int, what: str) -> None:
    """Find out before the work that the disk would not hold its result.

    Raises:
        UserError: fewer bytes are free where ``place`` is or would be.
    """
    folder = next(parent for parent in (place.absolute(), *place.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    needed = needed_bytes + _MARGIN_BYTES
    if free < needed:
        raise UserError(
            f"{what} needs {needed / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free at {folder}",
            "Make room, or choose a folder on another disk",
        )


def _empty(folder: Path) -> None:
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()


def _finish(folder: Path) -> None:
    """Flush to disk, and give every file the mode of an ordinary one: some libraries write private files."""
    umask = os.umask(0)
    os.umask(umask)
    for each in folder.rglob("*"):
        if each.is_file():
            each.chmod(0o666 & ~umask)
            with each.open("rb") as stream:
                os.fsync(stream.fileno())
