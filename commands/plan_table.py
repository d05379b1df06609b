"""What an experiment will train, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ..trainers.experiment_config import Experiment
    from ..trainers.grid import Cell


def plan_table(experiment: Experiment, cells: Sequence[Cell], out: Path) -> Table:
    """One row per training: base, arm, seed, how far it is, and under how many decodings it is evaluated."""
    from ..trainers.arms import Arm
    from ..trainers.grid import evaluated
    from ..trainers.manifest import Status

    words = {Status.NEW: "to do", Status.STOPPED: "started", Status.DONE: "done"}
    decodings = len(experiment.evaluation.decodings)
    table = Table(title=Text(f"{experiment.name}: {len(cells)} checkpoints in {out}"), title_justify="left")
    for column in ("base", "arm", "seed", "training", "evaluated"):
        table.add_column(column, overflow="fold")
    for cell in cells:
        seed = "—" if cell.arm.arm is Arm.BASE else str(cell.seed)
        table.add_row(
            Text(cell.model.name),
            Text(cell.arm.spec.name),
            seed,
            words[cell.status],
            f"{evaluated(experiment, cell.label, out)} of {decodings}",
        )
    counts = [cell.status for cell in cells]
    table.caption = Text(", ".join(f"{counts.count(status)} {word}" for status, word in words.items()))
    table.caption_justify = "left"
    return table
