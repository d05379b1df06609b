"""The ``maqa`` command: every module of ``commands`` adds one command to the application."""

from __future__ import annotations

import importlib
import pkgutil

from . import commands
from .commands.app import main as _main


def main() -> None:
    """Entry point of ``maqa``."""
    for module in sorted(info.name for info in pkgutil.iter_modules(commands.__path__)):
        importlib.import_module(f"{commands.__name__}.{module}")
    _main()
