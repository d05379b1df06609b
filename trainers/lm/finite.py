"""Whether a training still computes with numbers: seen step by step on the device, told without waiting for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...harness.core.errors import UserError

_SHOWN = 8
_NEVER = 2**62


class NotFinite(Exception):
    """The loss or the gradient of a step is infinite or no number."""

    def __init__(self, step: int) -> None:
        super().__init__(f"step {step} is not finite")
        self.step = step


class Diverged(UserError):
    """A training that ended so; what it logged and its checkpoints are kept."""


class Finite:
    """The first step, counted from 1, in which a value was not finite.

    Asking for each value would wait for the device in every step; here it is asked for once in a while.
    """

    def __init__(self, device: torch.device) -> None:
        # Apple's GPUs have no int64 minimum; a step fits into a float there.
        kind = torch.float32 if device.type == "mps" else torch.int64
        self._first = torch.full((), _NEVER, dtype=kind, device=device)

    def see(self, value: Tensor, step: int) -> None:
        """Look at what a step gave."""
        value = value.full_tensor() if hasattr(value, "full_tensor") else value
        bad = ~torch.isfinite(value.detach()).all()
        this = torch.full_like(self._first, step)
        self._first = torch.where(bad.to(self._first.device), torch.minimum(self._first, this), self._first)

    def demand(self, accelerator: Any) -> None:
        """Raises:
        NotFinite: a step was not, on any of the processes.
        """
        first = float(accelerator.gather(self._first.reshape(1)).min())
        if first < _NEVER:
            raise NotFinite(int(first))


def diverged(found: NotFinite, ids: Sequence[str], checkpoint: Path | None, log: Path) -> Diverged:
    """What a step that is not finite means for the user.

    Args:
        found: which one.
        ids: of the rows of its batch.
        checkpoint: the last whole one, None where there is none yet.
        log: what was logged before.
    """
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    kept = f"the last good checkpoint is {checkpoint}" if checkpoint else "no checkpoint was kept yet"
    return Diverged(
        f"the loss or its gradient is not finite in step {found.step}, by the rows {', '.join(ids[:_SHOWN])}{more}"
        f"; {kept}, the log is {log}",
        "Lower learning_rate, or train with precision fp32, into another --out",
    )
