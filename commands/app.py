"""The command-line application."""

import sys
import traceback
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..harness.core.readable import make_streams_readable
from ..harness.core.secrets import redact
from .endings import ClosedPipeError, ended
from .writing import Commands

WORKFLOW = (
    *("demo", "run", "prepare", "label", "train", "export", "nll", "evaluate", "score", "rescore", "fetch"),
    *(
        "compare",
        "power",
        "leaderboard",
        "report",
        "publish",
        "claim",
        "verify",
        "ratings",
        "judge",
        "probe",
        "register",
        "unregister",
        "doctor",
    ),
)

LANG = "--lang"


def _speak(code: str | None) -> None:
    from ..harness.languages.messages import choose, reader

    choose(code)
    reader()


def _lang_option() -> Any:
    """``--lang``, made by way of a command, since how typer makes an option differs between its versions."""

    def command(
        lang: Annotated[
            str | None,
            typer.Option(
                LANG,
                expose_value=False,
                callback=_speak,
                metavar="CODE",
                help="Language of pages and terminal, such as ar; else that of MAQA_LANG, or en.",
            ),
        ] = None,
    ) -> None: ...

    alone = typer.Typer(add_completion=False)
    alone.command()(command)
    return next(each for each in typer.main.get_command(alone).params if LANG in each.opts)


class _InOrder(TyperGroup):
    """Lists the commands in the order of the work; each takes ``--lang``."""

    def get_command(self, ctx: Any, name: str) -> Any:
        command = super().get_command(ctx, name)
        if command is not None and not any(LANG in each.opts for each in command.params):
            command.params.append(_lang_option())
        return command

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=WORKFLOW.index)

    def invoke(self, ctx: Any) -> Any:
        """click would end with status 1 and without a word whatever closed pipe it meets."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ClosedPipeError from error


app = Commands(
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
    """Run ``maqa`` and exit; what the user can mend is one line, anything else keeps its traceback.

    Neither tells a secret.
    """
    make_streams_readable()
    sys.excepthook = _without_secrets
    sys.exit(ended(app))


def _without_secrets(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))
