"""Every command that writes, under every fault that a disk, a folder or a reader can have, as a table.

``python -m maqa_severity.tests.fault_matrix [COMMAND...]`` prints it. A command passes a fault if it ends with one
line that names a file and a remedy and with exit status 2, leaves neither half a file nor a temporary one, and, run
again without the fault, ends well. Where nobody reads the output any more it ends without a word and with 141.
"""

import contextlib
import errno
import json
import os
import resource
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pyarrow.parquet
from maqa_severity.commands.endings import CLOSED, WRONG
from maqa_severity.tests.writers import WRITERS, Writer, make_inputs, make_models, run


@contextlib.contextmanager
def _no_file_beyond(size: int) -> Iterator[None]:
    """The system ends a write there, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def _failing(number: int, *calls: str) -> Iterator[None]:
    """These calls of ``os`` fail, in whatever is written below the output's folder."""

    def fail(*given: object, **_: object) -> None:
        path = next((each for each in given if isinstance(each, str | os.PathLike)), None)
        raise OSError(number, os.strerror(number), path and os.fspath(path))

    with contextlib.ExitStack() as patched:
        for call in calls:
            module = tempfile if call == "mkstemp" else os
            patched.enter_context(patch.object(module, call, fail))
        yield


@contextlib.contextmanager
def _removed(out: Path) -> Iterator[None]:
    """The output's folder is removed while the first file in it is written."""
    flush = os.fsync

    def remove(handle: int) -> None:
        shutil.rmtree(out.parent)
        flush(handle)

    with patch.object(os, "fsync", remove):
        yield


FAULTS: dict[str, Callable[[Path], contextlib.AbstractContextManager[object]]] = {
    "full at once": lambda out: _no_file_beyond(0),
    "full midway": lambda out: _no_file_beyond(400),
    "full at flush": lambda out: _failing(errno.ENOSPC, "fsync"),
    "full at rename": lambda out: _failing(errno.ENOSPC, "replace", "rename"),
    "quota": lambda out: _failing(errno.EDQUOT, "fsync"),
    "disk fails": lambda out: _failing(errno.EIO, "fsync"),
    "read-only": lambda out: _failing(errno.EROFS, "mkstemp", "mkdir"),
    "not allowed": lambda out: _failing(errno.EACCES, "mkstemp", "mkdir"),
    "folder removed": _removed,
    "file for folder": lambda out: contextlib.nullcontext(),
    "name too long": lambda out: contextlib.nullcontext(),
    "closed pipe": lambda out: contextlib.nullcontext(),
}


def tried(writer: Writer, fault: str, here: Path, folder: Path) -> str:
    """Run one command under one fault. Returns what is wrong; empty if nothing is."""
    folder.mkdir()
    out = folder / "into" / writer.place
    out.parent.mkdir()
    if fault == "file for folder":
        (folder / "file").write_text("kept")
        out = folder / "file" / writer.place
    if fault == "name too long":
        out = out.with_name("x" * 300 + out.suffix)
    elif fault != "file for folder":
        writer.made_ready(out, here)
    if fault == "closed pipe":
        return _with_closed_pipe(writer, out, here)
    with FAULTS[fault](out):
        status, _, error = run(writer.words(out, here))
    lines = error.strip().splitlines()
    if status != WRONG:
        return f"exit status {status}: {' '.join(lines)[-300:]}"
    if len(lines) != 1 or not lines[0].startswith("maqa: "):
        return f"{len(lines)} lines: {' '.join(lines)[-300:]}"
    if str(folder) not in lines[0]:
        return f"no place: {lines[0]}"
    if fault == "file for folder":
        return "" if (folder / "file").read_text() == "kept" else "the file is gone"
    if left := _left(folder):
        return f"left behind: {left}"
    if fault == "name too long":
        return ""
    writer.made_ready(out, here)
    status, _, error = run(writer.words(out, here))
    return f"run again: {status} {error[-300:]}" if status else ""


def _left(folder: Path) -> list[str]:
    """Temporary files, and files that are not whole: of what they hold, or empty."""
    found = [path for path in folder.rglob("*") if path.is_file() and ".labelling" not in path.parts]
    odd = [path for path in found if path.name.startswith(".") and path.suffix != ".lock"]
    return [str(path.relative_to(folder)) for path in found if path in odd or not whole(path)]


def whole(path: Path) -> bool:
    """Whether a file ends where its format says so; an answer store ends behind any of its lines."""
    try:
        match path.suffix:
            case ".json":
                json.loads(path.read_bytes())
            case ".jsonl":
                return all(json.loads(line) is not None for line in path.read_bytes().splitlines())
            case ".parquet":
                pyarrow.parquet.read_table(path)
            case ".html" | ".svg":
                return path.read_bytes().rstrip().endswith((b"</html>", b"</svg>"))
            case ".csv" | ".md":
                return path.read_bytes().endswith(b"\n")
            case ".xlsx" | ".zip":
                return zipfile.ZipFile(path).testzip() is None
            case ".lock":
                return True
    except (ValueError, OSError, zipfile.BadZipFile):
        return False
    return path.stat().st_size > 0


def _with_closed_pipe(writer: Writer, out: Path, here: Path) -> str:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w", encoding="utf-8") as stream:  # noqa: PTH123
        status, _, error = run(writer.words(out, here), stream)
        if error.strip() and "Traceback" in error:
            return error[-300:]
        if status not in (0, CLOSED):
            return f"exit status {status}: {error[-300:]}"
    if left := _left(out.parent):
        return f"left behind: {left}"
    status, _, error = run(writer.words(out, here))
    fresh = "is not empty" in error or "holds a dataset" in error or "not an empty folder" in error
    return "" if status == 0 or fresh else f"run again: {status} {error[-300:]}"


def table(names: list[str]) -> Iterator[tuple[str, str, str]]:
    """Command, fault and what is wrong, for every pair."""
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch) / "inputs"
        here.mkdir()
        make_inputs(here)
        if any(WRITERS[name].models for name in names or WRITERS):
            make_models(here)
        for name in names or WRITERS:
            for number, fault in enumerate(FAULTS):
                yield (
                    name,
                    fault,
                    tried(WRITERS[name], fault, here, Path(scratch) / f"{len(name)}{name[:3]}-{number}"),
                )


if __name__ == "__main__":
    wrong = 0
    for command, fault, found in table(sys.argv[1:]):
        wrong += bool(found)
        sys.stdout.write(f"{command:20} {fault:16} {found or 'ok'}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{wrong} wrong\n")
    sys.exit(bool(wrong))
