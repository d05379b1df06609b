"""The command-line application and the one place where a ``UserError`` becomes exit status 2."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from ..harness.errors import UserError

app = typer.Typer(
    name="maqa",
    help="Evaluate severity-aware Arabic medical text generation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run ``maqa``; a ``UserError`` is printed in one line, anything else keeps its traceback."""
    try:
        app()
    except UserError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"maqa: {error}", markup=False)
        sys.exit(2)
