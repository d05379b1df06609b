"""A saved model with its weights rounded to bfloat16: half the bytes."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ...harness.core.files import atomic, read_json, write_json

_REMEDY = "Train again"
_INDEX = "model.safetensors.index.json"


def round_to_bf16(folder: Path) -> None:
    """Round the float32 weights of a model that transformers has saved, one file after the other.

    Raises:
        UserError: a file cannot be written.
    """
    total = 0
    for path in sorted(folder.glob("model*.safetensors")):
        with safe_open(path, "pt") as found:
            about = found.metadata()
            tensors = {name: _rounded(found.get_tensor(name)) for name in found.keys()}  # noqa: SIM118
        total += sum(tensor.nbytes for tensor in tensors.values())
        with atomic(path) as temporary:
            save_file(tensors, temporary, metadata=about)
    index, config = folder / _INDEX, folder / "config.json"
    if index.is_file():
        found = read_json(index, _REMEDY)
        write_json(index, {**found, "metadata": {**found.get("metadata", {}), "total_size": total}})
    write_json(config, {**read_json(config, _REMEDY), "dtype": "bfloat16"})


def _rounded(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(torch.bfloat16) if tensor.dtype == torch.float32 else tensor
