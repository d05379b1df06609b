"""Files that are either whole or absent, and errors that name them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import UserError
from .refused import beside, refusal

_HALF = re.compile("[\ud800-\udfff]")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success flush it to disk and move it into place.

    What a killed process left of the same file is removed.

    Raises:
        UserError: the folder cannot be written to or was removed, the disk is full, or ``path`` is a folder, a
            device or a pipe.
    """
    _refuse_other_than_file(path)
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        held, temporary = _begun(path)
        try:
            yield temporary
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            # mkstemp makes private files; give the result the mode an ordinary file would have.
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
            os.close(held)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        found = refusal(error)
        if found is None or beside(path, error):
            raise
        kept = "; what was there is kept" if path.is_file() else ""
        raise UserError(f"cannot write {path}: {found.reason}{kept}", found.remedy) from error


def _begun(path: Path) -> tuple[int, Path]:
    """A new temporary file, held as long as its writer lives; those whose writer does not are removed."""
    for old in unfinished(path):
        with suppress(OSError):
            _remove_unheld(old)
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        # A disk without locks keeps what a kill leaves.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)


def unfinished(path: Path) -> list[Path]:
    """What ``atomic`` is writing of a file, or was by a process that was killed."""
    with os.scandir(path.parent) as entries:
        return [Path(entry.path) for entry in entries if _is_temporary(entry, path)]


def _is_temporary(entry: os.DirEntry[str], path: Path) -> bool:
    middle = entry.name[len(path.name) + 2 : len(entry.name) - len(path.suffix)]
    named = entry.name.startswith(f".{path.name}.") and entry.name.endswith(path.suffix)
    return named and re.fullmatch(r"[a-z0-9_]{8}", middle) is not None and entry.is_file(follow_symlinks=False)


def _remove_unheld(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(handle)


def ensure_writable(path: Path) -> None:
    """Find out before the work that its result could not be saved.

    Raises:
        UserError: ``path`` is a folder, a device or a pipe, or nothing can be written where it would be.
    """
    _refuse_other_than_file(path)
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"cannot write {path}: {folder} is no folder to write to", "Choose another one")


def _refuse_other_than_file(path: Path) -> None:
    try:
        kind = "is a folder" if path.is_dir() else "is no ordinary file"
        fine = path.is_file() or not path.exists()
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}", "Choose another name or folder") from error
    if not fine:
        raise UserError(f"cannot write {path}: {path} {kind}", "Name a file")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON atomically; NaN becomes null, since JSON has no NaN."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """What ``write_json`` writes; half a character, which UTF-8 cannot hold, stands there by its number."""
    text = json.dumps(_without_nan(value), ensure_ascii=False, indent=2) + "\n"
    return _HALF.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def read_json(path: Path, remedy: str) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing, unreadable or no JSON; ends with ``remedy``.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", remedy) from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}", remedy) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 at byte {error.start}", remedy) from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path} line {error.lineno} is not JSON: {error.msg}", remedy) from error


def sha256_file(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """Hex digest of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value
