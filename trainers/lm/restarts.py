"""What begins anew with each stage of a curriculum, beside the learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback


class Restarts(TrainerCallback):  # type: ignore[misc]
    """Forgets the optimizer's moments before the given steps.

    A training that goes on from a checkpoint of such a step forgets them then: the stage begins as it would have.
    """

    def __init__(self, steps: Sequence[int]) -> None:
        self._steps = frozenset(steps)

    def on_step_begin(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
        if state.global_step in self._steps:
            # What accelerate wraps.
            getattr(optimizer, "optimizer", optimizer).state.clear()
