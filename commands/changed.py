"""What the terminal says first of runs that were changed after they were written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console


def print_changed(console: Console, lines: Iterable[str]) -> None:
    """One line each, as ``seals.changed_words`` gives them."""
    for line in lines:
        console.print(Text(f"{line[:1].upper()}{line[1:]}", style="bold red"), soft_wrap=True)
