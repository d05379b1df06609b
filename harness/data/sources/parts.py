"""Files that are the parts of one table: those of a folder, of a glob, or of a zip archive."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ...core.errors import UserError
from .archives import bare_name, compression, members
from .base import Note, Source, joined
from .readers import by_ending, known

_MOST = 10_000
# What stands beside data and is none.
_BESIDE = re.compile(
    r"(readme|license|licence|notice|changelog|citation|dataset_infos?|checksums?|manifest|md5sums?|sha256sums?)\b.*"
    r"|.*\.(md|ya?ml|py|log|crc|md5|sha256|lock|png|jpe?g|pdf|docx?|html?|ipynb)",
    re.IGNORECASE,
)


def has_marks(path: Path) -> bool:
    """Whether a path that does not exist is a glob."""
    return any(mark in str(path) for mark in "*?[")


def parts_of(path: Path) -> tuple[list[Path], list[str]]:
    """Files of a folder, glob or zip archive that hold rows, sorted with numbers as numbers, and names of others.

    Raises:
        UserError: there are none, too many, or of several kinds.
    """
    if path.is_dir():
        found = [each for each in path.rglob("*") if each.is_file() and not _hidden(each.relative_to(path))]
    elif path.is_file():
        found = [path / name for name in members(path)]
    else:
        found = [each for each in map(Path, glob.glob(str(path), recursive=True)) if each.is_file()]  # noqa: PTH207
        found = [each for each in found if not each.name.startswith((".", "_"))]
    if not found and has_marks(path) and not path.exists():
        raise UserError(f"no file has a name such as {path}", "Correct the glob")
    if len(found) > _MOST:
        raise UserError(f"{path} holds more than {_MOST:,} files", "Give fewer, larger files")
    bare = {each: bare_name(each) for each in found}
    data = [each for each in found if by_ending(bare[each]) is not None and not _BESIDE.fullmatch(each.name)]
    if not data and path.is_file() and len(found) == 1:
        data = found
    if not data:
        raise UserError(
            f"{path} holds no data that can be read, nor is it a folder of a known kind", f"Give {known()}"
        )
    kinds = sorted({reader.name for each in data if (reader := by_ending(bare[each])) is not None})
    if len(kinds) > 1:
        raise UserError(
            f"{path} holds files of several kinds: {', '.join(kinds)}",
            f"Give one kind, such as '{path / f'*.{kinds[0]}'}'" if path.is_dir() else "Give one kind of them",
        )
    return sorted(data, key=_natural), sorted(each.name for each in found if each not in data)


def open_parts(path: Path, files: Sequence[Path], left: Sequence[str], opening: Callable[[Path], Source]) -> Source:
    """All parts as one source.

    Raises:
        UserError: a part has other columns than the first; one is not what it claims to be.
    """
    parts: dict[str, Source] = {}
    empty: list[str] = []
    for file in files:
        if file.is_file() and not file.stat().st_size:
            empty.append(file.name)
            continue
        parts[str(file)] = opening(file)
    if not parts:
        raise UserError(f"{path} holds only empty files", "Give files with a header and rows")
    first, *others = parts.values()
    for part in others:
        if set(part.columns) != set(first.columns):
            more = [name for name in part.columns if name not in first.columns][:5]
            less = [name for name in first.columns if name not in part.columns][:5]
            told = " and ".join(
                f"{word} {', '.join(map(repr, names))}" for word, names in (("has", more), ("lacks", less)) if names
            )
            raise UserError(
                f"{part.path} has other columns than {first.path.name}: it {told}",
                "Give parts with the same columns, or one of them alone",
            )
    notes: list[Note] = []
    if len(parts) > 1 or left or empty:
        notes.append(
            Note(
                "reading.parts", {"count": f"{len(parts):,}", "names": _some([p.path.name for p in parts.values()])}
            )
        )
    if left or empty:
        notes.append(Note("reading.left", {"names": _some([*left, *empty])}))
    notes += [note for part in parts.values() for note in part.notes if note not in notes]
    own: dict[str, tuple[Path, ...]] = (
        {} if path.is_file() else {"files": tuple(part.path for part in parts.values())}
    )
    return joined(path, parts, notes=notes, splits=False, **own)


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive of several files, or of one whose kind its own name does not tell."""
    return compression(path) == "zip" and (len(members(path)) != 1 or by_ending(bare_name(path)) is None)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(each), "") if each.isdigit() else (-1, each) for each in re.split(r"(\d{1,15})", str(path))]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f", ... {names[-1]}" if len(names) > 5 else "")
