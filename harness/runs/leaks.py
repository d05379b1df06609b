"""Secrets that stand in clear in runs, stores and boards: where, never what."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..core.secrets import HIDDEN, is_secret, secrets_named

REMEDY = (
    "Make that key or password invalid where it was issued, then delete the folder or make it again; "
    "maqa writes no secret down any more"
)
_SUFFIXES = (".json", ".html", ".csv", ".yaml", ".yml", ".log", ".txt")
# Answers and weights, however large, are no places for the arguments of a command.
_LARGEST = 64 * 2**20


@dataclass(frozen=True)
class Leak:
    """A file, and the keys or names under which secrets stand in it."""

    path: Path
    places: tuple[str, ...]


def leaks(folder: Path) -> Iterator[Leak]:
    """Look through all files below a folder that hold settings, results or pages; or at one file.

    Raises:
        UserError: there is no such folder, or a file of it cannot be read.
    """
    if not folder.exists():
        raise UserError(f"{folder} does not exist", "Name a folder of runs, stores or boards")
    for path in _files(folder):
        try:
            text = path.read_text(encoding="utf-8", errors="replace") if path.stat().st_size <= _LARGEST else ""
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}", "Make it readable") from error
        if places := tuple(dict.fromkeys(_places(path, text))):
            yield Leak(path, places)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for parent, _, names in sorted(os.walk(folder)):
        yield from (Path(parent) / name for name in sorted(names) if name.lower().endswith(_SUFFIXES))


def _places(path: Path, text: str) -> list[str]:
    if path.suffix.lower() == ".json":
        try:
            return list(_in_json(json.loads(text), ""))
        except (ValueError, RecursionError):
            pass
    return secrets_named(text)


def _in_json(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            here = f"{place}.{name}" if place else str(name)
            if (
                is_secret(str(name))
                and isinstance(item, str | int | dict)
                and item not in (True, False, "", HIDDEN)
            ):
                yield here
            else:
                yield from _in_json(item, here)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _in_json(item, f"{place}[{number}]")
    elif isinstance(value, str):
        yield from (f"{place} ({name})" for name in secrets_named(value))


def _stands_in_clear(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_stands_in_clear, value.values()))
    return isinstance(value, str | int) and not isinstance(value, bool) and value not in ("", HIDDEN)
