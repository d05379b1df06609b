"""How far an experiment is, read from its folder alone: by anybody who sees it, while it is worked on."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from ..experiments.config import Experiment, training_config
from ..experiments.grid import Cell, cells, evaluated, run_folder
from ..lm.manifest import LOG, Status
from .status import CellStatus, State, read_status, worker_of
from .work import TRAIN, evaluation


@dataclass(frozen=True)
class Seen:
    """What is known of a cell, or of a trivial system, which has no ``cell``.

    ``at`` says what a running one is at, and ``seconds`` how long it was worked on so far, or in all.
    """

    label: str
    cell: Cell | None
    state: State
    seconds: float = 0.0
    at: str = ""
    reason: str = ""


def look(experiment: Experiment, out: Path) -> list[Seen]:
    """Every cell and trivial system, in the order of the work."""
    found: list[tuple[str, Cell | None]] = [(cell.label, cell) for cell in cells(experiment, out)]
    found += [(str(kind), None) for kind in experiment.evaluation.floors]
    return [_seen(experiment, out, label, cell) for label, cell in found]


def hours_left(seen: Sequence[Seen], now_running: int | None = None) -> float | None:
    """From what finished cells took: those of the same base and arm if there are any, else of the base, else all.

    Args:
        seen: all.
        now_running: how many are worked on at once; by default as many as now.

    Returns:
        None where no cell is finished yet.
    """
    done = [each for each in seen if each.state is State.DONE and each.seconds]
    left = [each for each in seen if each.state in (State.RUNNING, State.WAITING)]
    if not left:
        return 0.0
    if not any(each.cell for each in done):
        return None
    running = now_running or sum(each.state is State.RUNNING for each in left)
    each_left = [max(0.0, _expected(each, done) - each.seconds * (each.state is State.RUNNING)) for each in left]
    # However many there are at once, none is done before its own time.
    return max(sum(each_left) / max(1, running), *each_left) / 3600


def _expected(one: Seen, done: Sequence[Seen]) -> float:
    if one.cell is None:
        return mean([each.seconds for each in done if each.cell is None] or [0.0])
    trained = [(each.cell, each.seconds) for each in done if each.cell]
    same_base = [(cell, taken) for cell, taken in trained if cell.model == one.cell.model]
    same_arm = [(cell, taken) for cell, taken in same_base if cell.arm == one.cell.arm]
    return mean(taken for _, taken in same_arm or same_base or trained)


def _seen(experiment: Experiment, out: Path, label: str, cell: Cell | None) -> Seen:
    status = read_status(out, label)
    taken = sum(status.seconds.values()) if status else 0.0
    if worker := worker_of(out, label):
        # Between the lock and the first status there is nothing to tell.
        at = status or CellStatus(state=State.RUNNING)
        since = max(0.0, time.time() - at.begun) if at.state is State.RUNNING and at.begun else 0.0
        far = _far(experiment, out, label, cell, at.step)
        words = f"{at.step}{far}, {since:.0f} s, {worker}"
        return Seen(label, cell, State.RUNNING, taken + since, words)
    if status and status.state is State.FAILED:
        return Seen(label, cell, State.FAILED, taken, reason=status.reason)
    whole = evaluated(experiment, label, out) == len(experiment.evaluation.decodings)
    if whole and (cell is None or cell.status is Status.DONE):
        return Seen(label, cell, State.DONE, taken)
    return Seen(label, cell, State.WAITING, taken)


def _far(experiment: Experiment, out: Path, label: str, cell: Cell | None, step: str) -> str:
    """How much of a step is done, in words."""
    if step == TRAIN and cell is not None:
        epochs = training_config(experiment, cell.model, cell.seed).epochs
        lines = _lines(cell.checkpoint / LOG)
        try:
            return f" {100 * json.loads(lines[-1])['epoch'] / epochs:.0f} %"
        except (IndexError, ValueError, KeyError):
            return ""
    answers = [
        line
        for preset in experiment.evaluation.decodings
        if step == evaluation(preset)
        for path in run_folder(experiment, preset, label, out).glob("answers/[!.]*.jsonl")
        for line in _lines(path)
    ]
    return f" {len(answers)} answers" if answers else ""


def _lines(path: Path) -> list[str]:
    """The whole lines of a file that somebody may be writing."""
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError):
        return []
