"""How the program prints: one kind of console for every command, on terminals of any width and any encoding."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from itertools import accumulate
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Span, Text

from .console_tables import Fitted
from .readable import encodable


class Terminal(Console):
    """Prints every text in signs that its stream has, control characters visibly, and no table cut.

    Args:
        given: what ``rich.console.Console`` takes, such as ``stderr`` and ``soft_wrap``.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(highlight=False, emoji=False, **given)
        self._has_width = "width" in given or self.is_terminal or os.environ.get("COLUMNS", "").isdigit()

    def print(self, *objects: Any, **given: Any) -> None:
        """As ``Console.print``, which would cut what is wider than the terminal."""
        super().print(*(self._shown(each) for each in objects), **{"crop": False, **given})

    def on_broken_pipe(self) -> None:
        """rich would end the program here; how a command ends is decided where commands end."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    def _shown(self, found: Any) -> Any:
        match found:
            case str():
                return encodable(found, self.encoding)
            case Text():
                return _text(found, self.encoding)
            case Group():
                return Group(*(self._shown(each) for each in found.renderables), fit=found.fit)
            case Table():
                return Fitted(self._signs_of(found), self._has_width)
            case Fitted():
                return Fitted(self._signs_of(found.table), self._has_width)
        return found

    def _signs_of(self, table: Table) -> Table:
        table.title = self._shown(table.title)
        table.columns = [
            replace(
                column,
                header=self._shown(column.header),
                footer=self._shown(column.footer),
                _cells=[self._shown(cell) for cell in column.cells],
            )
            for column in table.columns
        ]
        return table


def _text(text: Text, encoding: str) -> Text:
    signs = [encodable(sign, encoding) for sign in text.plain]
    if (plain := "".join(signs)) == text.plain:
        return text
    starts = list(accumulate(map(len, signs), initial=0))
    shown = text.blank_copy(plain)
    shown.spans = [Span(starts[span.start], starts[min(span.end, len(signs))], span.style) for span in text.spans]
    return shown
