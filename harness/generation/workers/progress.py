"""Progress of a generation on the error stream: answers, rate and time left."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ...core.console import Terminal

_LINE_EVERY_S = 15.0


class AnswerProgress:
    """A bar on a terminal; elsewhere a plain line now and then, fit for a log file."""

    def __init__(self, name: str, total: int, done: int) -> None:
        self._console = Terminal(stderr=True, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=total, completed=done, rate="")
        self._name, self._total, self._before = name, total, done
        self._done, self._tokens = done, 0
        self._start = self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        if self._before:
            self._print(f"{self._name}: {self._before} of {self._total} answers were there already")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, answers: int, tokens: int) -> None:
        """Count a finished chunk."""
        self._done += answers
        self._tokens += tokens
        elapsed = max(time.monotonic() - self._start, 1e-9)
        per_second = (self._done - self._before) / elapsed
        rate = f"{per_second:.1f} answers/s, {self._tokens / elapsed:.0f} tokens/s"
        self._bar.update(self._task, completed=self._done, rate=rate)
        if not self._console.is_terminal and (self._done == self._total or self._due()):
            left = (self._total - self._done) / per_second
            self._print(f"{self._name}: {self._done} of {self._total} answers, {rate}, {left:.0f} s left")

    def _due(self) -> bool:
        now = time.monotonic()
        if now - self._last_line < _LINE_EVERY_S:
            return False
        self._last_line = now
        return True

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False)
