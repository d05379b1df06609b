"""From a path to its source: which reader it is for, by what it holds rather than by what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...core.errors import UserError
from .archives import archive_of, bare_name, compression, is_package
from .base import IsHeader, Note, Source
from .finish import finished
from .hub import is_hub_id
from .parts import has_marks, is_archive, open_parts, parts_of
from .readers import READERS, Reader, by_ending, by_folder, check_options, endings
from .sniff import is_text_table, kind_of

_BOOKS = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods")
_BINARY = (".parquet", ".feather", ".sqlite", *_BOOKS)


def open_source(
    path: Path, reading: Mapping[str, str] | None = None, is_header: IsHeader | None = None, nested: bool = False
) -> Source:
    """Open a file, a folder or glob of parts, or a dataset of the Hugging Face hub.

    Args:
        reading: options of its reader by name, such as ``sheet``, which a workbook with several needs.
        is_header: whether names hold what is looked for; finds the header, the delimiter and the sheet by it.
        nested: whether cells may be lists or records, which ``Batch.nested`` then has.

    Raises:
        UserError: it is missing, empty, of no known kind or not what it claims to be; an option does not apply to
            it. Reading the batches raises it for a row that cannot be read.
    """
    given = dict(reading or {})
    try:
        return finished(_opened(path, given, is_header), is_header, nested)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}", "Check the file") from error


def demand_source(path: Path) -> None:
    """Raises:
    UserError: nothing can be read there, as far as names and first bytes tell.
    """
    if not path.exists() and is_hub_id(path):
        return
    if _is_parts(path):
        parts_of(path)
    else:
        reader_of(path)


def may_be_elsewhere(path: Path) -> bool:
    """Whether a path that does not exist is a glob, or an id of the Hugging Face hub."""
    return has_marks(path) or is_hub_id(path)


def _is_parts(path: Path) -> bool:
    if path.is_dir():
        return by_folder(path) is None
    if not path.exists():
        return has_marks(path)
    return path.is_file() and is_archive_of_parts(path)


def is_archive_of_parts(path: Path) -> bool:
    """Whether a zip file holds several files, and is no document such as xlsx."""
    return compression(path) == "zip" and not is_package(path) and not _named_binary(path) and is_archive(path)


def _named_binary(path: Path) -> bool:
    return path.name.lower().endswith(_BINARY)


def _opened(path: Path, given: Mapping[str, str], is_header: IsHeader | None) -> Source:
    if _is_parts(path):
        files, left = parts_of(path)
        return open_parts(path, files, left, lambda file: _opened_one(file, given, is_header))
    return _opened_one(path, given, is_header)


def _opened_one(path: Path, given: Mapping[str, str], is_header: IsHeader | None) -> Source:
    reader, notes = reader_of(path)
    check_options(path, reader, given)
    if path.is_file() and not path.stat().st_size:
        raise UserError(f"{path} is empty", "Give a file with a header and rows")
    source = reader.open(path, **given, **({"is_header": is_header} if reader.finds_header else {}))
    source.notes[:0] = notes
    return source


def reader_of(path: Path) -> tuple[Reader, list[Note]]:
    """The reader of a file, folder or id, and what to say where the name says another.

    Raises:
        UserError: there is no such path, or no reader knows it.
    """
    if archive_of(path) is None:
        if not path.exists():
            if is_hub_id(path):
                return READERS["Hugging Face"], []
            raise UserError(f"source file {path} does not exist", "Check the path")
        if path.is_dir() and (folder := by_folder(path)) is not None:
            return folder, []
        if not path.is_file():
            raise UserError(f"{path} is not a file, nor a folder of a known kind", "Give a file")
    named = by_ending(bare_name(path)) or by_ending(path.name)
    if path.is_file() and not path.stat().st_size and named is not None:
        return named, []
    if named is not None and _named_binary(path) and compression(path) == "zip" and not is_package(path):
        # A damaged document: its reader says so.
        return named, []
    kind = kind_of(path)
    if (
        kind is None
        and named is not None
        and any(each in named.endings for each in _BINARY)
        and is_text_table(path)
    ):
        kind = ".csv"
    found = by_ending(f"x{kind}") if kind else named
    if found is None:
        raise UserError(
            f"{path} has the unknown extension {path.suffix.lower()!r}",
            f"Convert it to one of {', '.join(endings())}",
        )
    if kind is None or named is None or found is named or (kind in _JSON and set(named.endings) & set(_JSON)):
        return named or found, []
    return found, [Note("reading.content", {"kind": found.name, "name": path.name})]


_JSON = (".json", ".jsonl")
