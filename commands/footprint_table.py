"""What an experiment will take, by figures that are stated, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from ..trainers.experiments.footprint import Footprint, Footprints

_DEAREST = 3
_UNKNOWN = "?"


def print_footprints(console: Console, found: Footprints) -> None:
    """A row for each base, the sum, what is to be downloaded, and the cells that take longest."""
    gpu = found.gpu
    title = f"Still to do, by figures stated for a GPU of the kind {gpu.name}; --estimate measures on this machine"
    table = Table(title=Text(title), title_justify="left", show_footer=True)
    total = ["all", *_figures(found.cells)]
    for place, heading in enumerate(("base", "cells", "steps", "hours", "peak GB", "checkpoints GB", "runs GB")):
        table.add_column(
            heading, footer=Text(total[place]), justify="left" if place == 0 else "right", overflow="fold"
        )
    for base, cells in groupby(found.cells, key=lambda cell: cell.base):
        table.add_row(Text(base), *_figures(list(cells)))
    console.print(table)
    hours, disk = _number(found.hours), _number(found.disk_bytes / 1e9)
    lines = [f"In all about {hours} GPU hours and {disk} GB of disk beside the bases."]
    if largest := max((cell.peak_bytes or 0 for cell in found.cells), default=0):
        fits = "fits" if largest < gpu.gigabytes * 1e9 else "does NOT fit"
        lines.append(
            f"The largest training takes about {largest / 1e9:.1f} GB, which {fits} into {gpu.gigabytes:g} GB."
        )
    if found.downloads:
        sizes = [each.size for each in found.downloads]
        unknown = sum(size is None for size in sizes)
        beside = f", and {unknown} of unknown size" if unknown else ""
        lines.append(
            f"To download: {len(sizes)} bases, about {_number(sum(size or 0 for size in sizes) / 1e9)} GB{beside}."
        )
    if found.hours:
        dear = ", ".join(f"{cell.label} {_number(cell.hours)} h" for cell in found.dearest[:_DEAREST])
        lines.append(f"Dearest: {dear}.")
    if not found.counted:
        lines.append("The data is not there yet: rows and their lengths are stated, not counted.")
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _figures(cells: list[Footprint]) -> list[str]:
    return [
        str(len(cells)),
        _sum((cell.steps for cell in cells), 1, ",.0f"),
        _sum((cell.hours if _known(cell) else None for cell in cells), 1, ",.2f"),
        _most(cell.peak_bytes for cell in cells),
        _sum((cell.checkpoint_bytes for cell in cells), 1e9, ",.2f"),
        _sum((cell.run_bytes for cell in cells), 1e9, ",.2f"),
    ]


def _known(cell: Footprint) -> bool:
    return cell.training_hours is not None and cell.answering_hours is not None


def _sum(values: Iterable[float | None], unit: float, form: str) -> str:
    found = list(values)
    return _UNKNOWN if None in found else format(sum(value or 0 for value in found) / unit, form)


def _most(values: Iterable[float | None]) -> str:
    found = list(values)
    return _UNKNOWN if None in found else f"{max((value or 0 for value in found), default=0) / 1e9:.1f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"
