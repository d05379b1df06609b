"""A table at the width that there is: whole, closer, or as a list. No figure is cut."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

_NO_BOUND = 10_000
_FOLDED = 10
"""Signs that a line of a folded name keeps at least."""


class Fitted:
    """A table for ``console.print``.

    Args:
        table: what is shown.
        narrows: whether the console's width is that of a terminal. Else lines run on, as in a file.
    """

    def __init__(self, table: Table, narrows: bool) -> None:
        self.table = table
        self.narrows = narrows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The first shape that fits."""
        if not self.narrows:
            yield from _running_on(self.table, console, options)
            return
        for shape in (self.table, _closer(self.table)):
            segments = list(console.render(_uncut(shape, console, options), options))
            if all(Segment.get_line_length(line) <= options.max_width for line in Segment.split_lines(segments)):
                yield from segments
                return
        for line in _as_list(self.table, console):
            yield from console.render(Text(line, overflow="fold"), options.update(no_wrap=False, overflow="fold"))


def _running_on(table: Table, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
    kept = _changed(
        table, [_with_longest(each, console, options) if each.no_wrap else each for each in table.columns]
    )
    least = Measurement.get(console, options.update(width=_NO_BOUND), kept).minimum
    yield from console.render(kept, options.update(width=max(options.max_width, least)))


def _uncut(table: Table, console: Console, options: ConsoleOptions) -> Table:
    """No column narrower than its longest word, or than its lines where it may not wrap; names may fold."""

    def whole(column: Column) -> Column:
        if column.no_wrap:
            return _with_longest(column, console, options)
        least = _widths(column, console, options)[0]
        if column.overflow == "fold":
            least = min(least, column.min_width or _FOLDED)
        return replace(column, min_width=least)

    return _changed(table, [whole(column) for column in table.columns])


def _with_longest(column: Column, console: Console, options: ConsoleOptions) -> Column:
    return replace(column, min_width=_widths(column, console, options)[1])


def _widths(column: Column, console: Console, options: ConsoleOptions) -> tuple[int, int]:
    """Signs of the longest word and of the longest line."""
    wide = options.update(width=_NO_BOUND)
    found = [Measurement.get(console, wide, cell) for cell in (column.header, *column.cells)]
    return max(each.minimum for each in found), max(each.maximum for each in found)


def _closer(table: Table) -> Table:
    shape = _changed(table, table.columns)
    shape.box, shape.show_edge, shape.pad_edge, shape.padding = box.SIMPLE_HEAD, False, False, 0
    return shape


def _changed(table: Table, columns: list[Column]) -> Table:
    changed = copy.copy(table)
    changed.columns = columns
    return changed


def _as_list(table: Table, console: Console) -> Iterator[str]:
    """A paragraph for each row: what its first column says, then each other column's heading with its cell."""
    if table.title:
        yield _plain(table.title, console)
    headings = [_plain(column.header, console).split("\n") for column in table.columns]
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        first, *others = (_plain(cell, console).split("\n") for cell in cells)
        if not table.show_header:
            yield " ".join(part for cell in (first, *others) for part in cell if part)
            continue
        if name := "; ".join(filter(None, first)):
            yield name
        for heading, cell in zip(headings[1:], others, strict=True):
            if len(heading) == len(cell) > 1:
                yield from (f"  {part}: {value}" for part, value in zip(heading, cell, strict=True))
            elif any(cell):
                yield f"  {' '.join(heading)}: {'; '.join(filter(None, cell))}"
        yield ""


def _plain(cell: RenderableType, console: Console) -> str:
    return cell.plain if isinstance(cell, Text) else console.render_str(str(cell)).plain
