"""What the backends that load a model have in common."""

from __future__ import annotations

from ...core.errors import UserError
from .base import Asked

TF32 = ("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")
"""Variables by which a GPU computes float32 less exactly."""


def demand_model(config: Asked) -> None:
    """Look whether a generation names a model.

    Raises:
        UserError: it does not.
    """
    if not config.model_args.get("pretrained"):
        raise UserError(f"{config.kind} needs a model", "Give --model-args pretrained=FOLDER_OR_HUB_ID")
