"""``maqa doctor``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from ..harness.core.console import Terminal
from ..harness.core.errors import UserError
from .app import app
from .options import LanguageCode
from .output import JsonOutput, write_json_result


@app.command()
def doctor(
    folders: list[Path] = typer.Argument(
        None, help="Folders of runs, stores or boards: look there for keys and passwords in clear instead."
    ),
    detectors: bool = typer.Option(
        False,
        "--detectors",
        help="Instead: how far each safety detector can be trusted, by author and dialect, first seen and today.",
    ),
    language: LanguageCode = None,
    json: JsonOutput = None,
) -> None:
    """Say what is installed and missing, or where secrets lie.

    Each line has its remedy; fails only if something is broken.
    """
    if detectors:
        if folders:
            raise UserError("--detectors looks into no folder", "Leave the folders out, or leave out --detectors")
        from .detectors_table import show_detectors

        show_detectors(language, json)
        return
    if language:
        raise UserError("--language is for --detectors", "Leave it out, or give --detectors")
    from ..harness.doctor import State, examine
    from ..tasks.register import is_registered, stub_folder

    if folders:
        _look_through(folders, json)
        return
    findings = list(examine(stub_folder() if is_registered() else None))
    if json is not None:
        write_json_result(json, {"findings": [asdict(finding) for finding in findings]})
    marks = {State.FINE: Text("ok"), State.MISSING: Text("-"), State.BROKEN: Text("BROKEN", style="bold red")}
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in findings:
        table.add_row(marks[finding.state], Text(finding.name), Text(finding.detail))
        if finding.remedy:
            table.add_row("", "", Text(f"→ {finding.remedy}", style="dim"))
    Terminal().print(table)
    if any(finding.state is State.BROKEN for finding in findings):
        raise typer.Exit(1)


def _look_through(folders: list[Path], json: Path | None) -> None:
    from ..harness.runs.leaks import REMEDY, leaks

    console = Terminal()
    found = [leak for folder in folders for leak in leaks(folder)]
    if json is not None:
        leaked = [{"path": str(leak.path), "places": leak.places} for leak in found]
        write_json_result(json, {"leaks": leaked})
    for leak in found:
        console.print(f"secret in clear: {leak.path}: {', '.join(leak.places)}", markup=False, soft_wrap=True)
    if found:
        console.print(f"→ {REMEDY}", markup=False, soft_wrap=True)
        raise typer.Exit(1)
    console.print(f"no secret in clear below {', '.join(map(str, folders))}", markup=False, soft_wrap=True)
