"""Who works on something: one process at a time, named to every other one, whichever machine it runs on."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from .errors import UserError
from .refused import refusal

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EBADF)
"""What network disks say where they keep no locks, or none of a folder."""
_BEAT_S = 5.0
_STALE_S = 60.0
"""A holder on another machine that has not been heard of for so long is dead."""


@dataclass(frozen=True)
class Holder:
    """The process that holds something; ``machine`` tells machines of one name apart."""

    host: str
    machine: str
    pid: int
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


@contextmanager
def hold(path: Path, what: str, wait_s: float = 1.0) -> Iterator[None]:
    """Hold a lock file within; it is gone afterwards, and what a dead process left of it is taken over.

    The system's own lock tells a dead process of this machine from a living one. It need not reach a process of
    another machine on a shared disk, so the file's time is renewed every 5 seconds, and one of another machine
    counts as dead after a minute without.

    Args:
        path: the lock file; its folder is made.
        what: is held, for the error.
        wait_s: how long to wait for another process to let go.

    Raises:
        UserError: another process holds it, or the file cannot be written.
    """
    deadline = time.monotonic() + wait_s
    try:
        while (handle := _taken(path)) is None:
            if time.monotonic() >= deadline:
                raise UserError(
                    f"{what} is worked on by {holder(path) or 'another process'}",
                    "Wait until it has ended, or end it; what it has done is kept",
                )
            time.sleep(0.1)
    except OSError as error:
        found = refusal(error)
        remedy = found.remedy if found else "Choose a folder that you may write to"
        raise UserError(f"cannot write {path}: {error.strerror}", remedy) from error
    try:
        with every(_BEAT_S, lambda: os.utime(path)):
            yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(handle)


def holder(path: Path) -> Holder | None:
    """Who holds a lock file now; None where nobody does."""
    try:
        found = Holder(**json.loads(path.read_text(encoding="utf-8")))
        if found.machine != _machine():
            return found if time.time() - path.stat().st_mtime < _STALE_S else None
        handle = os.open(path, os.O_RDONLY)
    except (OSError, ValueError, TypeError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return found
    finally:
        os.close(handle)
    return None


@contextmanager
def sole(place: Path, otherwise: str, remedy: str = "Wait until it has ended, or end it") -> Iterator[None]:
    """Hold a folder, or a lock file, which is made, against all other processes of this machine that ask for it so.

    The system lets go of what a killed process held, and nothing is left of it. A disk without locks holds nothing.

    Raises:
        UserError: another process holds it, which is what ``otherwise`` says, with whose it is.
    """
    handle = os.open(place, os.O_RDONLY if place.is_dir() else os.O_CREAT | os.O_RDWR, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{otherwise}{_whose(handle)}", remedy) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(handle)


def _whose(handle: int) -> str:
    """Whose lock keeps this one from an open file or folder, to be put behind a sentence: ``: process 7 on ...``.

    Empty where the system does not say, as of a process of another machine.
    """
    number = os.fstat(handle).st_ino
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
        held = [line.split() for line in lines if " FLOCK " in line and " -> " not in line]
        pid = next(int(part[4]) for part in held if int(part[5].rpartition(":")[2]) == number and int(part[4]) > 0)
        since = datetime.fromtimestamp(Path(f"/proc/{pid}").stat().st_ctime, UTC).isoformat(timespec="seconds")
    except (OSError, ValueError, IndexError, StopIteration):
        return ""
    return f": {Holder(platform.node(), _machine(), pid, since)}"


@contextmanager
def every(seconds: float, work: Callable[[], object]) -> Iterator[None]:
    """Within, a thread does something again and again; what the system refuses it is let be."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(seconds):
            with suppress(OSError):
                work()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _taken(path: Path) -> int | None:
    """The open file, with this process in it; None where another one holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have taken the file away after it was opened here.
        if os.fstat(handle).st_ino != path.stat().st_ino or _held_elsewhere(path):
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError):
        os.close(handle)
        return None
    since = datetime.now(UTC).isoformat(timespec="seconds")
    told = json.dumps(asdict(Holder(platform.node(), _machine(), os.getpid(), since)))
    try:
        os.ftruncate(handle, 0)
        os.write(handle, told.encode())
    except OSError:
        # A full disk: nobody shall wait for a process that does nothing.
        with suppress(OSError):
            path.unlink()
        os.close(handle)
        raise
    return handle


def _held_elsewhere(path: Path) -> bool:
    try:
        found = Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return False
    return found.machine != _machine() and time.time() - path.stat().st_mtime < _STALE_S


def _machine() -> str:
    """What tells this machine, as long as it is up, from all others."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return boot.read_text(encoding="utf-8").strip() if boot.exists() else platform.node()
