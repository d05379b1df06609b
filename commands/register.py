"""``maqa register`` and ``maqa unregister``."""

from __future__ import annotations

from ..harness.core.console import Terminal
from .app import app


@app.command()
def register() -> None:
    """Make `lm_eval --tasks maqa_severity` work from any folder."""
    from ..tasks.register import register as write_stubs

    console = Terminal(soft_wrap=True)
    console.print(f"Registered in {write_stubs()}", markup=False)
    console.print("Try: lm_eval --model hf --model_args pretrained=MODEL --tasks maqa_severity")


@app.command()
def unregister() -> None:
    """Undo `maqa register`."""
    from ..tasks.register import stub_folder
    from ..tasks.register import unregister as remove_stubs

    said = "Removed" if stub_folder().exists() else "Not registered: there is no"
    Terminal(soft_wrap=True).print(f"{said} {remove_stubs()}", markup=False)
