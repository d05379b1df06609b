"""Names of real life in narrow places: shortened in the middle, and still told apart."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 38
"""Signs of a name in a table's first column."""
_GAP = "…"


def short_names(names: Sequence[str], width: int = WIDTH) -> dict[str, str]:
    """Each name as it is shown. Those longer than ``width`` lose their middle; where that makes two the same, both
    are shown whole."""
    cut = {name: shortened(name, width) for name in dict.fromkeys(names)}
    shown = list(cut.values())
    return {name: name if shown.count(short) > 1 else short for name, short in cut.items()}


def shortened(name: str, width: int = WIDTH) -> str:
    """The name without its middle, where it is longer than ``width``."""
    if len(name) <= width:
        return name
    head = (width - 1) // 2
    return f"{name[:head]}{_GAP}{name[-(width - 1 - head) :]}"
