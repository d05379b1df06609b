"""The ``maqa`` command: every module of ``commands`` adds one command to the application."""

from __future__ import annotations

import importlib
import pkgutil

import typer

from . import commands
from .commands.app import app
from .commands.app import main as _main


def application() -> typer.Typer:
    """The application with all its commands."""
    for module in sorted(info.name for info in pkgutil.iter_modules(commands.__path__)):
        importlib.import_module(f"{commands.__name__}.{module}")
    return app


def main() -> None:
    """Entry point of ``maqa``."""
    application()
    _main()
