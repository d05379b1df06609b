"""Answers on disk: append-only JSON lines that survive a kill at any moment.

A store is a folder with one file of answers per identity (``<digest>.jsonl``, or ``<digest>.shard-0-of-4.jsonl``)
and ``<digest>.json``, which spells the identity out. A chunk of answers is appended by one write and flushed to
disk; on opening, a chunk that did not arrive whole is dropped, so that it will be generated again as a whole.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from ...core.errors import UserError
from ...core.files import read_json, write_json
from ...core.holding import sole
from ..records import Generated, Prompt
from .lines import Answer, digest, read, rewrite, union

log = logging.getLogger(__name__)
_WRITABLE = "Choose a folder that you may write to"
_WHOLE = "Copy the store again, with its .json files"


def answer_key(identity_digest: str, prompt: str, sample: int) -> str:
    """The key of one answer: it covers everything that changes it."""
    return digest({"identity": identity_digest, "prompt": prompt, "sample": sample})


class Store:
    """The answers of one identity.

    Args:
        folder: where the files lie; made if missing.
        identity: what changes the answers.
        part: the file's own name within the identity, such as ``shard-0-of-4``; empty for the main file. The other
            files of the identity are read as well, so copying them into one folder unites them.
    """

    def __init__(self, folder: Path, identity: dict[str, Any], part: str = "") -> None:
        self.folder = folder
        self.identity = identity
        self.digest = digest(identity)
        self._name = self.digest[:16]
        self.path = folder / f"{self._name}{part and '.'}{part}.jsonl"
        self._answers: dict[str, Answer] = {}
        self._stream = -1

    @contextmanager
    def opened(self) -> Iterator[Self]:
        """Read what is there, mend it where a kill or a bad disk left a mark, and allow ``append``.

        Raises:
            UserError: the folder cannot be written, or another process writes to the same file.
        """
        with locked(self.path):
            try:
                described = self.folder / f"{self._name}.json"
                if not described.exists():
                    write_json(described, self.identity)
                own = _mended(self.path)
                others = sorted(set(self.folder.glob(f"{self._name}*.jsonl")) - {self.path})
                self._answers = union([own, *(sound_answers(path) for path in others)])
                self._stream = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
            except OSError as error:
                raise UserError(f"cannot use {self.path}: {error.strerror}", _WRITABLE) from error
            try:
                yield self
                self._demand_there()
            finally:
                os.close(self._stream)
                self._stream = -1

    def __len__(self) -> int:
        return len(self._answers)

    def __contains__(self, key: object) -> bool:
        return key in self._answers

    def __getitem__(self, key: str) -> Answer:
        return self._answers[key]

    def _demand_there(self) -> None:
        """The system would take answers for a file that was removed, and they would be gone.

        Raises:
            UserError: it was.
        """
        if not os.fstat(self._stream).st_nlink:
            raise UserError(f"{self.path} was removed meanwhile", "Run the same command again, and leave it there")

    def append(self, prompts: Sequence[Prompt], generated: Sequence[Generated]) -> None:
        """Append one chunk and flush it to disk.

        Raises:
            UserError: the disk is full or failing; what was there before is kept.
        """
        last = len(prompts) - 1
        lines = [
            Answer.of(prompt, answer, last - i)
            for i, (prompt, answer) in enumerate(zip(prompts, generated, strict=True))
        ]
        size = os.fstat(self._stream).st_size
        self._demand_there()
        try:
            _write(self._stream, "".join(line.line() for line in lines).encode())
            os.fsync(self._stream)
        except OSError as error:
            _truncate(self._stream, size)
            raise UserError(
                f"cannot write {self.path}: {error.strerror}; the {len(self)} answers before are kept",
                "Make room or mend the disk, then run the same command again to continue",
            ) from error
        # Where a prompt that was refused before is asked again, both are there.
        before = [self._answers[line.key] for line in lines if line.key in self._answers]
        self._answers.update(union([before, lines]))


def merge(sources: Sequence[Path], target: Path) -> int:
    """Unite whole store folders in ``target``, which may be one of them. Returns the number of answers there.

    Any order and any repetition of sources gives the same bytes.

    Raises:
        UserError: a source is missing or not whole, or the target cannot be written or is in use.
    """
    for source in sources:
        if not source.is_dir():
            raise UserError(f"store {source} does not exist", "Name the folder given to --store")
    folders = [*sources, target]
    count = 0
    # Not the hidden files, which a kill leaves of one that was being written.
    names = {path.stem for folder in folders for path in folder.glob("[!.]*.json")}
    for path in (path for folder in folders for path in folder.glob("[!.]*.jsonl")):
        if path.name.split(".")[0] not in names:
            raise UserError(f"{path} has no .json beside it that says whose answers it holds", _WHOLE)
    for name in sorted(names):
        with locked(target / f"{name}.jsonl"):
            files = sorted({path for folder in folders for path in folder.glob(f"{name}*.jsonl")})
            answers = union(sound_answers(path) for path in files)
            described = next(folder / f"{name}.json" for folder in folders if (folder / f"{name}.json").exists())
            write_json(target / f"{name}.json", read_identity(described))
            rewrite(target / f"{name}.jsonl", [answers[key] for key in sorted(answers)])
            count += len(answers)
    return count


def read_identity(path: Path) -> Any:
    """The identity that a store's ``<digest>.json`` spells out."""
    return read_json(path, _WHOLE)


def sound_answers(path: Path) -> list[Answer]:
    """The sound answers of a file; what is damaged is reported by its line number and left out."""
    content = read(path)
    for number, _ in content.damaged:
        log.warning("%s line %d is damaged and is not used", path, number)
    return content.answers


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from writing to ``path``, a file of answers.

    Raises:
        UserError: one does already, or its folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".lock").touch()
    except OSError as error:
        raise UserError(f"cannot write the answers to {path.parent}: {error.strerror}", _WRITABLE) from error
    remedy = "Wait for it, or give --store another folder"
    with sole(path.with_suffix(".lock"), f"another process writes to {path}", remedy):
        yield


def _mended(path: Path) -> list[Answer]:
    content = read(path)
    if content.damaged:
        aside = path.with_suffix(".damaged")
        with aside.open("ab") as stream:
            stream.writelines(line + b"\n" for _, line in content.damaged)
        numbers = ", ".join(str(number) for number, _ in content.damaged)
        log.warning("%s: the damaged lines %s are set aside in %s and not used", path, numbers, aside)
    if content.damaged or content.torn:
        rewrite(path, content.answers)
    return content.answers


def _write(stream: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(stream, view) :]


def _truncate(stream: int, size: int) -> None:
    try:
        os.ftruncate(stream, size)
    except OSError as error:
        log.debug("the unfinished chunk stays until the store is opened again: %s", error)
