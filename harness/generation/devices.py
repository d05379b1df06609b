"""The device that a model is to run on, if there is one of that name."""

from __future__ import annotations

from ..core.errors import UserError


def existing_device(name: str) -> str:
    """The name, if this machine has that device: a backend may silently take another one instead.

    Raises:
        UserError: there is no such device.
    """
    import torch

    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise UserError(f"there is no device {name!r}", f"Use --device {_here()}") from None
    if device.type != "cpu":
        found = torch.get_device_module(device.type) if _known(device.type) else None
        count = found.device_count() if found is not None and found.is_available() else 0
        if (device.index or 0) >= count:
            raise UserError(
                f"there is no device {name!r}: this machine has {count} of them", f"Use --device {_here()}"
            )
    # lm-eval knows the CPU by no number.
    return name if device.type != "cpu" else "cpu"


def _known(kind: str) -> bool:
    import torch

    return hasattr(torch, kind)


def _here() -> str:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return "cpu" if not count else "cpu or cuda" if count == 1 else f"cpu, or cuda:0 to cuda:{count - 1}"
