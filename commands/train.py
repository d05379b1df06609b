"""``maqa train``: the sub-commands that train."""

from __future__ import annotations

from .app import app
from .writing import Commands

train = Commands(help="Train a severity classifier or a language model.", no_args_is_help=True)
app.add_typer(train, name="train")
