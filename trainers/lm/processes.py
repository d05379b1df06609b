"""The processes of a training: one, or as many as `accelerate launch` started."""

from __future__ import annotations

import os
from typing import Any


def use_cpu() -> bool:
    """Whether to train without an accelerator: there is none, or ``ACCELERATE_USE_CPU`` says so."""
    import torch

    asked = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")
    return asked or not torch.accelerator.is_available()


def processes() -> Any:
    """accelerate's ``PartialState``; it joins the other processes when it is asked for first."""
    from accelerate import PartialState

    # Without being told, accelerate takes several processes without a GPU for one each.
    return PartialState(cpu=use_cpu())
