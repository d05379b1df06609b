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
from .writing import STDOUT

_BEHIND: ContextVar[TextIO | None] = ContextVar("standard output, kept for the result", default=None)


def _keep_stdout(context: typer.Context, path: Path | None) -> Path | None:
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


def write_result(path: Path, text: str) -> None:
    """Write a result to the file of an option by ``to_output``, atomically, or to standard output in UTF-8.

    Raises:
        UserError: the file cannot be written.
    """
    from ..harness.core.files import write_text

    stream = _BEHIND.get()
    if path != STDOUT or stream is None:
        write_text(path, text)
        return
    stream.flush()
    stream.buffer.write(text.encode())
    stream.flush()


def write_json_result(path: Path, value: Any) -> None:
    """As ``write_result``; JSON as in files, with null for NaN."""
    from ..harness.core.files import json_text

    write_result(path, json_text(value))
