"""Where a command's result goes: a file, or ``-`` for standard output, which then has nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from ..harness.core.errors import UserError

STDOUT = Path("-")
_BEHIND: ContextVar[TextIO | None] = ContextVar("standard output, kept for the result", default=None)


_ASKED: ContextVar[typer.Context | None] = ContextVar("what the command was asked", default=None)
_PAGES = (".html", ".md", ".csv", ".svg", ".png")
"""What no command reads of a folder, so that it may be written there again."""


def _keep_stdout(context: typer.Context, path: Path | None) -> Path | None:
    _ASKED.set(context)
    if path == STDOUT:
        if _BEHIND.get() is not None:
            raise UserError("two results would go to standard output", "Give - once, and a file for the other")
        context.with_resource(_all_else_to_stderr())
    return path


@contextmanager
def _all_else_to_stderr() -> Iterator[None]:
    kept = _BEHIND.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _BEHIND.reset(kept)


def to_output(text: str) -> Any:
    """An option, explained by ``text``, that takes a file or ``-``."""
    return typer.Option(metavar="FILE", callback=_keep_stdout, help=f"{text}; - for standard output.")


JsonOutput = Annotated[Path | None, to_output("Also write everything to this file")]


_WRITTEN = ("out", "figures")
"""The options of folders that a command writes."""


def _demand_no_input(path: Path) -> None:
    """Raises:
    UserError: the file is one that the command read, or stands in a folder that it read, however it is spelt.
    """
    context = _ASKED.get()
    if context is None or not path.is_file():
        return
    given = [each for value in context.params.values() for each in (value if isinstance(value, list) else [value])]
    places = [each for each in given if isinstance(each, Path) and each != STDOUT and each.exists()]
    if sum(each.samefile(path) for each in places) > 1:
        raise UserError(f"{path} is an input of this command", "Name another file")
    written = [context.params.get(name) for name in _WRITTEN]
    read = [each for each in places if each.is_dir() and each not in written]
    for folder in (each for each in read if path.suffix not in _PAGES):
        if any(parent.samefile(folder) for parent in path.resolve().parents):
            raise UserError(f"{path} stands in {folder}, an input of this command", "Name a file elsewhere")


def write_result(path: Path, text: str) -> None:
    """Write a result to the file of an option by ``to_output``, atomically, or to standard output in UTF-8.

    Raises:
        UserError: the file cannot be written, or is an input of the command.
    """
    from ..harness.core.files import write_text

    stream = _BEHIND.get()
    if path != STDOUT or stream is None:
        _demand_no_input(path)
        write_text(path, text)
        return
    stream.flush()
    stream.buffer.write(text.encode())
    stream.flush()


def write_json_result(path: Path, value: Any) -> None:
    """As ``write_result``; JSON as in files, with null for NaN."""
    from ..harness.core.files import json_text

    write_result(path, json_text(value))
