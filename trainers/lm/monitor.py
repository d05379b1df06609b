"""What a training tells while it runs: a progress bar and a log file with one JSON object per line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback

from ...harness.core.console import Terminal
from ...harness.core.files import write_text
from .cost import peak_memory_bytes
from .curves import Curves
from .manifest import LOG
from .validation import METRIC, Validation


class Monitor(TrainerCallback):  # type: ignore[misc]
    """Shows progress on the error stream and appends a line per log to ``training_log.jsonl``.

    Each line has the step, the epoch, the loss as it is minimised, the unweighted loss per severity, the gradient's
    norm before clipping, the learning rate, tokens per second (prompt and answer, all processes) and the peak
    memory of this process. Measurements of the validation rows have lines of
    their own. A resumed training takes away the lines after its checkpoint and goes on.
    ``tokens`` (of all processes) and ``steps`` count from where this one started.
    """

    def __init__(self, folder: Path, title: str, epochs: float, validation: Validation | None = None) -> None:
        self._validation = validation
        self._curves = Curves(folder, title)
        self._path, self._title, self._epochs = folder / LOG, title, epochs
        self._bar: Progress | None = None
        self._last = 0.0
        self.tokens = 0.0
        self.steps = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._last = time.monotonic()
        if not state.is_world_process_zero:
            return
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        # The kill may have come in the middle of a line.
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= state.global_step]
        write_text(self._path, "".join(f"{line}\n" for line in kept))
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Terminal(stderr=True)
        # Into a file or a pipe a bar would only write an empty line.
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._bar.add_task(self._title, total=state.max_steps, completed=state.global_step)
        self._bar.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.steps += 1
        # Whatever remains after the last full interval is counted, and looked at before the model is saved.
        control.should_log |= state.global_step >= state.max_steps
        if self._validation and self._validation.due(state.global_step, state.max_steps):
            control.should_log = control.should_evaluate = True
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        if METRIC in logs and self._bar is not None:
            measured = {name: value for name, value in logs.items() if name.startswith(METRIC)}
            self._write({**self._place(state), **measured})
        if "loss" not in logs:
            return
        self.tokens += logs["tokens"]
        now = time.monotonic()
        seconds, self._last = now - self._last, now
        if self._bar is None:
            return
        line = {
            **self._place(state),
            **{key: value for key, value in logs.items() if key not in ("epoch", "tokens")},
            "tokens_per_s": round(logs["tokens"] / seconds, 1),
            "peak_memory_bytes": peak_memory_bytes(),
        }
        self._write(line)
        self._bar.update(self._bar.task_ids[0], description=f"{self._title}  loss {logs['loss']:.3f}")

    def _place(self, state: Any) -> dict[str, float]:
        return {"step": state.global_step, "epoch": round(self._epochs * state.global_step / state.max_steps, 4)}

    def _write(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        self._curves.write()

    def close(self) -> None:
        """Take the progress bar away, however the training ended."""
        if self._bar is not None:
            self._bar.stop()
            self._curves.write(now=True)
