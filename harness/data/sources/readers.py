"""How a reader of source files is declared: by the endings or the folders that are its own, and its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from ...core.registry import Registry
from .base import Source


@dataclass(frozen=True)
class Option:
    """What a reader can be told beside the path. The commands that read sources have each as ``--name``.

    ``among`` is what it chooses among, as the error says for a source that has none: ``sheets``.
    """

    name: str
    help: str
    among: str


@dataclass(frozen=True)
class Reader:
    """One kind of source: ``name`` as help texts say it, and how a source of it is opened, its options by keyword.

    A file is known by its ending, a folder by ``is_mine``. One that ``finds_header`` takes ``is_header`` too, by
    which it knows the row of the header (and what stands between cells); None where nobody knows.
    """

    name: str
    endings: tuple[str, ...]
    options: tuple[Option, ...]
    is_mine: Callable[[Path], bool] | None
    finds_header: bool
    open: Callable[..., Source]


SHEET = Option("sheet", "Sheet of a workbook that has several.", among="sheets")
HEADER_ROW = Option("header_row", "Row of the header in a table that has a title above it.", among="rows")

READERS: Registry[Reader] = Registry("source")
_ENDINGS: Registry[Reader] = Registry("source ending")
_OPTIONS: Registry[Option] = Registry("option of a source")

_Open = Callable[..., Source]


def source(
    *endings: str,
    name: str | None = None,
    options: Sequence[Option] = (),
    is_mine: Callable[[Path], bool] | None = None,
    finds_header: bool = False,
) -> Callable[[_Open], _Open]:
    """Declare a reader: a function of a path and its options (None where not given) that opens a ``Source``.

    Its module is imported for every help text: whatever takes long to import belongs inside the function.

    Args:
        endings: of its files, such as ``.csv``; none for a reader of folders.
        name: as help texts call the kind; by default the first ending.
        is_mine: whether a folder is one of its kind.
        finds_header: whether it takes ``is_header``.
    """
    called = name or endings[0].removeprefix(".")

    def declare(opening: _Open) -> _Open:
        reader = Reader(called, endings, tuple(options), is_mine, finds_header, opening)
        place = f"{opening.__module__}.{opening.__qualname__}"
        READERS.add(called, reader, place)
        for ending in endings:
            _ENDINGS.add(ending, reader, place)
        for option in options:
            # Several readers may share one.
            if option not in _OPTIONS.things():
                _OPTIONS.add(option.name, option, place)
        return opening

    return declare


def options() -> list[Option]:
    """The options of all readers."""
    return _OPTIONS.things()


def known() -> str:
    """What can be read, for help texts: ``a csv or xlsx file, or a save_to_disk folder``."""
    files = [reader.name for reader in READERS.things() if reader.endings]
    folders = [reader.name for reader in READERS.things() if reader.is_mine]
    return (
        f"a {either(files)} file, plain or compressed; a folder or glob of them; a {either(folders)} folder;"
        " a Hugging Face dataset by its id"
    )


def endings() -> list[str]:
    """Endings of the files that can be read."""
    return list(_ENDINGS)


def by_ending(name: str) -> Reader | None:
    """The reader of files of this name."""
    ending = max((each for each in _ENDINGS if name.lower().endswith(each)), key=len, default=None)
    return None if ending is None else _ENDINGS[ending]


def by_folder(path: Path) -> Reader | None:
    """The reader of a folder of a kind of its own."""
    return next((each for each in READERS.things() if each.is_mine is not None and each.is_mine(path)), None)


def check_options(path: Path, reader: Reader, given: Mapping[str, Any]) -> None:
    """Raises:
    UserError: an option was given that the reader does not have.
    """
    for name in given:
        option = _OPTIONS[name]
        if option not in reader.options:
            owners = [each.name for each in READERS.things() if option in each.options]
            raise UserError(
                f"{path} has no {option.among} to choose from",
                f"Leave --{name.replace('_', '-')} out: it is for {either(owners)} files",
            )


def either(names: Sequence[str]) -> str:
    """Names in a sentence: ``a, b or c``."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
