"""The progress bar of every long command, on the error stream so that output can be piped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from ..harness.core.console import Terminal


@contextmanager
def stages_bar(title: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield a function that takes a stage, what is done of it and, where known, of how much."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    console = Terminal(stderr=True)
    # Into a file or a pipe a bar would only write an empty line.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda stage, done, total: bar.update(task, description=stage, completed=done, total=total)


@contextmanager
def rows_bar(title: str, rows: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the number of rows finished since its last call."""
    done = 0
    with stages_bar(title) as report:
        report(title, done, rows)

        def advance(finished: int) -> None:
            nonlocal done
            done += finished
            report(title, done, rows)

        yield advance
