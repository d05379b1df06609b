"""``maqa register`` and ``maqa unregister``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..harness.core.console import Terminal
from .app import app

_Shown = Annotated[
    bool, typer.Option("--include-path", help="Write nothing: print the folder for `lm_eval --include_path`.")
]


@app.command()
def register(include_path: _Shown = False) -> None:
    """Make `lm_eval --tasks maqa_severity` work from any folder."""
    from ..tasks import FOLDER
    from ..tasks.register import register as write_stubs

    console = Terminal(soft_wrap=True)
    if include_path:
        console.print(str(FOLDER), markup=False)
        return
    console.print(f"Registered in {write_stubs()}", markup=False)
    console.print("Try: lm_eval --model hf --model_args pretrained=MODEL --tasks maqa_severity")


@app.command()
def unregister() -> None:
    """Undo `maqa register`."""
    from ..tasks.register import stub_folder
    from ..tasks.register import unregister as remove_stubs

    said = "Removed" if stub_folder().exists() else "Not registered: there is no"
    Terminal(soft_wrap=True).print(f"{said} {remove_stubs()}", markup=False)
