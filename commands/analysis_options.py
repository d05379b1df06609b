"""``--analysis`` and ``--look``: what was declared, which metrics that takes, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..harness.core.errors import UserError
from .options import was_given

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.runs.analysis import Analysis
    from ..harness.runs.declared import Declared


def declared_by(path: Path | None, look: int | None) -> tuple[Analysis, int] | None:
    """The analysis of ``--analysis`` and the look of ``--look``; None without either.

    Raises:
        UserError: the file cannot be read, or the look is none of its own.
    """
    from ..harness.runs.analysis import load_analysis

    if path is None:
        if look is not None:
            raise UserError(f"--look {look} is a look of no analysis", "Give --analysis FILE too")
        return None
    analysis = load_analysis(path)
    return analysis, analysis.at_look(look)


def metrics_of(context: typer.Context, given: Sequence[str], analysis: Analysis | None) -> list[str]:
    """The metrics to compare: those of the analysis first, then what the command line asks for beside them."""
    if analysis is None:
        return list(given)
    return list(dict.fromkeys((*analysis.metrics, *(given if was_given(context, "metric") else ()))))


def metric_of(context: typer.Context, given: str, analysis: Analysis | None) -> str:
    """The one metric of a board or report: what the command line asks for, else the analysis's primary one."""
    return given if analysis is None or was_given(context, "metric") else analysis.primary


def print_declared(console: Console, declared: Declared | None) -> None:
    """The declared tests, above everything that is exploratory."""
    from rich.text import Text

    if declared is None:
        return
    console.print(Text(declared.heading, style="bold"), soft_wrap=True)
    for test, line in zip(declared.tests, declared.lines, strict=True):
        console.print(Text(line, style="green" if test.holds else ""), soft_wrap=True)
    console.print(Text(f"{declared.rules}\n"), soft_wrap=True)
