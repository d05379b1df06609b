"""What the system refuses, such as room on a full disk: in which words, and what can be done about it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_ROOM = "Make room on the disk, then run the same command again"
_ALLOWED = "Choose a folder that you may write to"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EDQUOT: "Make room within your quota, then run the same command again",
    errno.EROFS: _ALLOWED,
    errno.EACCES: _ALLOWED,
    errno.EPERM: _ALLOWED,
    errno.EIO: "The disk or its connection fails: mend it, then run the same command again",
    errno.ESTALE: "The disk or its connection fails: mend it, then run the same command again",
    errno.ENOENT: "Look whether a folder was moved or removed meanwhile, then run the same command again",
    errno.ENOTDIR: "A file stands where a folder should be: name another place",
    errno.EISDIR: "A folder stands where a file should be: name another place",
    errno.EEXIST: "A file stands where a folder should be: name another place",
    errno.ENOTEMPTY: "Something else was put there meanwhile: name another place",
    errno.ENAMETOOLONG: "Give a shorter name",
    errno.ELOOP: "Links there point to one another: name another place",
    errno.EMFILE: "Allow more open files (`ulimit -n`), then run the same command again",
    errno.ENFILE: "Close other programs, then run the same command again",
}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Refusal(NamedTuple):
    """What the system refused: the file where it is known, the system's words, and a remedy."""

    path: str
    reason: str
    remedy: str

    @property
    def problem(self) -> str:
        """File and reason in one line."""
        return f"{self.path}: {self.reason}" if self.path else self.reason


def refusal(error: BaseException) -> Refusal | None:
    """What the system refused; None of every other error.

    Libraries in Rust, such as safetensors and tokenizers, raise errors of their own, with the system's number in
    the text; torch's writer of archives and Pillow tell no number; and numpy's archive fails once more when it is
    closed on a full disk, so what came before is looked at, too.
    """
    if isinstance(error, OSError) and error.errno in _REMEDIES:
        return _of(error.errno, error.filename)
    text = str(error)
    if "inline_container.cc" in text or (isinstance(error, OSError) and "when writing image file" in text):
        return Refusal("", "the disk is full or failing", _ROOM)
    if (number := re.search(r"\(os error (\d+)\)", text)) and int(number[1]) in _REMEDIES:
        return _of(int(number[1]), None)
    for before in _before(error):
        if isinstance(before, OSError) and before.errno in FULL:
            return _of(before.errno, before.filename)
    return None


def _of(number: int | None, path: object) -> Refusal:
    shown = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    return Refusal(shown, os.strerror(number or 0), _REMEDIES[number or 0])


def _before(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    found = error.__cause__ or error.__context__
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def beside(path: Path, error: BaseException) -> bool:
    """Whether an error names a file that has nothing to do with ``path`` and its folders."""
    named = getattr(error, "filename", None)
    if not isinstance(named, str):
        return False
    place, whole = Path(named).absolute(), path.absolute()
    return place.parent != whole.parent and place not in whole.parents
