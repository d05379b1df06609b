"""The command-line application and the one place where a ``UserError`` becomes exit status 2."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..harness.core.console import Terminal
from ..harness.core.errors import UserError
from ..harness.core.readable import make_streams_readable
from ..harness.core.secrets import redact

WORKFLOW = (
    *("demo", "run", "prepare", "label", "train", "export", "nll", "evaluate", "score", "rescore", "fetch"),
    *(
        "compare",
        "power",
        "leaderboard",
        "report",
        "publish",
        "claim",
        "ratings",
        "judge",
        "probe",
        "register",
        "unregister",
        "doctor",
    ),
)

_INTERRUPTED = 130
"""What typer makes of Ctrl-C: 128 + SIGINT."""


class _InOrder(TyperGroup):
    """Lists the commands in the order of the work."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=WORKFLOW.index)


app = typer.Typer(
    name="maqa",
    cls=_InOrder,
    help="Evaluate severity-aware Arabic medical text generation.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"maqa {__version__}")
        raise typer.Exit


@app.callback()
def _of_all(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run ``maqa``; a ``UserError`` or Ctrl-C is told in one line, anything else keeps its traceback.

    Neither tells a secret.
    """
    make_streams_readable()
    sys.excepthook = _without_secrets
    console = Terminal(stderr=True, soft_wrap=True)
    try:
        app()
    except UserError as error:
        console.print(f"maqa: {redact(str(error))}", markup=False)
        sys.exit(2)
    except SystemExit as done:
        if done.code == _INTERRUPTED:
            console.print("maqa: interrupted. Run the same command again to continue", markup=False)
        raise


def _without_secrets(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))
