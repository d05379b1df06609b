"""Options of the readers of sources, on every command that reads one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import typer

from ..harness.data.sources import options

Reading = Mapping[str, str] | None
"""The options of a source's reader that were given, by name; see ``with_reader_options``."""


def with_reader_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command that reads a source, with every reader's options in place of its parameter ``reading``."""
    signature = inspect.signature(command, eval_str=True)
    asked = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, typer.Option(help=option.help)],
        )
        for option in options()
    ]

    @wraps(command)
    def run(**given: Any) -> None:
        reading = {each.name: given.pop(each.name) for each in asked}
        command(**given, reading={name: value for name, value in reading.items() if value is not None})

    parameters = [
        new
        for each in signature.parameters.values()
        for new in (asked if each.name == "reading" else [each.replace(kind=inspect.Parameter.KEYWORD_ONLY)])
    ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run
