"""``maqa train lm`` on several devices.

On all GPUs of a machine: ``accelerate launch -m maqa_severity.trainers DATASET --base MODEL --arm ARM --out DIR``;
with ``--config_file trainers/fsdp.yaml`` sharded. Without a GPU: ``ACCELERATE_USE_CPU=true accelerate launch
--multi_gpu --num_processes 2 -m ...``, since accelerate starts a single process for ``--cpu``.
"""

from __future__ import annotations

import os
import sys

import typer

from ..harness.core.console import Terminal
from ..harness.core.errors import UserError
from ..harness.core.readable import make_streams_readable
from .lm.launch import NamesArms, lm


def main() -> None:
    """Run; a ``UserError`` is printed in one line, by the first process alone."""
    make_streams_readable()
    app = typer.Typer(
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.command(cls=NamesArms)(lm)
    try:
        app()
    except UserError as error:
        if os.environ.get("RANK", "0") == "0":
            Terminal(stderr=True, soft_wrap=True).print(f"maqa: {error}", markup=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
