"""Every command's page for the documentation, in Markdown, made from the declarations of its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup

from ..harness.core.files import write_text


def write_pages(app: typer.Typer, folder: Path) -> list[Path]:
    """A page for each command of the application and one that lists them, ``index.md``.

    Returns:
        The paths of the pages.

    Raises:
        UserError: the folder cannot be written to.
    """
    whole = typer.main.get_command(app)
    assert isinstance(whole, TyperGroup)
    context = typer.Context(whole, info_name="maqa")
    names = whole.list_commands(context)
    pages = {name: _page(whole.commands[name], f"maqa {name}", context) for name in names}
    listed = "\n".join(names)
    pages["index"] = (
        "# Commands\n\nEach is explained by `-h` too; these pages are made from the same declarations.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"
    )
    for name, text in pages.items():
        write_text(folder / f"{name}.md", text)
    return [folder / f"{name}.md" for name in pages]


def _page(command: Any, name: str, parent: typer.Context, level: int = 1) -> str:
    context = typer.Context(command, info_name=name.rsplit(" ", 1)[-1], parent=parent)
    lines = [f"{'#' * level} {name}", "", _prose(command.help or ""), ""]
    if isinstance(command, TyperGroup):
        for each in command.list_commands(context):
            lines += [_page(command.commands[each], f"{name} {each}", context, level + 1)]
        return "\n".join(lines)
    lines += ["```text", " ".join([name, *command.collect_usage_pieces(context)]), "```", ""]
    known = [each for each in command.get_params(context) if not each.hidden]
    if rows := [_row(each, context) for each in known]:
        lines += ["| | |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _row(parameter: Any, context: typer.Context) -> str:
    told: tuple[str, str] | None = parameter.get_help_record(context)
    if told is None or isinstance(parameter, TyperArgument):
        told = (parameter.metavar or parameter.name.upper()), parameter.help or ""
    name, text = told
    return f"| `{_cell(name)}` | {_cell(_prose(text))} |"


def _prose(text: Any) -> str:
    return " ".join(str(text).replace("\b", " ").split()).replace("<", "&lt;")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
