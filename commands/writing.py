"""Commands that declare which of their options are written, so that none of these is written over an input."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import wraps
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import typer

from ..harness.core.errors import UserError

_Command = TypeVar("_Command", bound=Callable[..., Any])
STDOUT = Path("-")
WRITES = ("out", "json")
"""The parameters of files that a command writes, unless it declares others."""
_BESIDE = (".html", ".md", ".csv", ".svg", ".png", "nll.parquet")
"""Ends of names that a command writes into a folder that it reads, and may write there again."""


class Commands(typer.Typer):
    """An application whose commands are refused before they begin if they would write over what they read."""

    def command(
        self, *given: Any, writes: Collection[str] = WRITES, **settings: Any
    ) -> Callable[[_Command], _Command]:
        """As typer's; ``writes`` names the parameters that are written, and every other file or folder is read."""
        register = super().command(*given, **settings)

        def add(command: _Command) -> _Command:
            @wraps(command)
            def run(**parameters: Any) -> None:
                demand_apart(parameters, writes)
                command(**parameters)

            run.writes = writes  # type: ignore[attr-defined]
            register(run)
            return command

        return add


def demand_apart(parameters: Mapping[str, Any], writes: Collection[str]) -> None:
    """Refuse to write over what is read, however its place is spelt.

    Args:
        parameters: of a command, by name; paths, lists of them, and whatever else it takes.
        writes: the names of those that are written. What is written into a folder is the command's own to guard.

    Raises:
        UserError: a file to be written is one that is read, stands in a folder that is read, or is to be written
            twice.
    """
    written = [path for name in writes if (path := parameters.get(name)) is not None and path != STDOUT]
    for one, other in combinations(written, 2):
        if one.resolve() == other.resolve():
            raise UserError(f"{one} would be written twice", "Name two files")
    read = [path for name, value in parameters.items() if name not in writes for path in _existing(value)]
    for path in filter(Path.is_file, written):
        if any(each.samefile(path) for each in read):
            raise UserError(f"{path} is an input of this command", "Name another file")
        if path.name.endswith(_BESIDE):
            continue
        above = path.resolve().parents
        for folder in filter(Path.is_dir, read):
            if folder.resolve() in above:
                raise UserError(f"{path} stands in {folder}, an input of this command", "Name a file elsewhere")


def _existing(value: Any) -> Iterator[Path]:
    """What a parameter names of the disk; a word counts only where it names a file, as of `--with labels.csv`."""
    for each in value if isinstance(value, list | tuple) else [value]:
        try:
            if isinstance(each, Path) and each != STDOUT and each.exists():
                yield each
            elif isinstance(each, str) and Path(each).is_file():
                yield Path(each)
        except (OSError, ValueError):
            continue
