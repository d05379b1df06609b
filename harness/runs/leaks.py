"""Secrets that stand in clear in runs, stores and boards: where, never what."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..core.errors import UserError
from ..core.secrets import HIDDEN, is_secret, secrets_named

REMEDY = (
    "Make that key or password invalid where it was issued, then delete the folder or make it again; "
    "maqa writes no secret down any more"
)
_JSON, _LINES, _YAML, _PAGES = {".json"}, {".jsonl"}, {".yaml", ".yml"}, {".html", ".htm"}
# Weights and tables, however large, are no places for the arguments of a command.
_LARGEST = 64 * 2**20
_VOCABULARY = 256
"""A mapping of more entries is a vocabulary, in which any word may stand."""


@dataclass(frozen=True)
class Leak:
    """A file, and the keys or names under which secrets stand in it."""

    path: Path
    places: tuple[str, ...]


def leaks(folder: Path) -> Iterator[Leak]:
    """Look through all files of text below a folder, or at one file.

    Raises:
        UserError: there is no such folder, or a file of it cannot be read.
    """
    if not folder.exists():
        raise UserError(f"{folder} does not exist", "Name a folder of runs, stores or boards")
    for path in _files(folder):
        try:
            places = tuple(dict.fromkeys(_places(path)))
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}", "Make it readable") from error
        if places:
            yield Leak(path, places)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for parent, _, names in sorted(os.walk(folder)):
        yield from (path for name in sorted(names) if (path := Path(parent) / name).is_file())


def _places(path: Path) -> Iterator[str]:
    suffix = path.suffix.lower()
    if suffix in _LINES:
        yield from _in_lines(path)
        return
    content = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
    if b"\0" in content[:4096]:
        return
    text = content.decode("utf-8", "replace")
    try:
        if suffix in _JSON:
            yield from _in_json(json.loads(text), "")
            return
        if suffix in _YAML:
            for document in yaml.safe_load_all(text):
                yield from _in_json(document, "")
            return
    except (ValueError, RecursionError, yaml.YAMLError):
        pass
    yield from secrets_named(html.unescape(text) if suffix in _PAGES else text)


def _in_lines(path: Path) -> Iterator[str]:
    """Places in a file of one JSON value a line, the line's number left out: each of thousands may hold it."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                yield from _in_json(json.loads(line), "")
            except (ValueError, RecursionError):
                yield from secrets_named(line)


def _in_json(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        words = len(value) > _VOCABULARY
        for name, item in value.items():
            here = f"{place}.{name}" if place else str(name)
            if not words and is_secret(str(name)) and _stands_in_clear(item):
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
