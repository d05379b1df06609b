"""Files that are either whole or absent, and errors that name them."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import UserError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ROOM = "Make room on the disk, then run the same command again"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success flush it to disk and move it into place.

    Raises:
        UserError: the folder cannot be written to, the disk is full, or ``path`` is a folder, a device or a pipe.
    """
    _refuse_other_than_file(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}", "Choose a folder that you may write to"
        ) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        # mkstemp makes private files; give the result the mode an ordinary file would have.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        kept = "; what was there is kept" if path.exists() else ""
        raise UserError(f"cannot write {path}: {error.strerror}{kept}", _ROOM) from error
    finally:
        temporary.unlink(missing_ok=True)


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
    """What ``write_json`` writes."""
    return json.dumps(_without_nan(value), ensure_ascii=False, indent=2) + "\n"


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
