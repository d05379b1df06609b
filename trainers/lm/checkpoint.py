"""A checkpoint as a whole model in memory, to be measured: what its folder holds, on the base that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ...harness.core import memory
from ...harness.core.errors import UserError
from ...harness.generation.checkpoints import ADAPTER_CONFIG, base_record, is_reference, located
from ...harness.generation.engines.adapters import with_adapter
from .bases import demand_context, load_model, load_tokenizer
from .config import Precision, TrainConfig
from .processes import processes


def checkpoint_tokenizer(folder: Path, config: TrainConfig) -> Any:
    """The checkpoint's tokenizer, or its base's where it brings none.

    Raises:
        UserError: as ``load_tokenizer``, or the base cannot be found.
    """
    name, revision = str(folder), None
    if is_reference(folder) and not (folder / "tokenizer_config.json").is_file():
        name, revision = _base_of(folder)
    return load_tokenizer(name, revision, config.pad_token, add_bos_token=config.add_bos_token)


def checkpoint_model(folder: Path, tokenizer: Any, config: TrainConfig) -> Any:
    """The checkpoint's model on the device that a training would take, with its adapter if it is one; in float32,
    or in bf16 where a training computes or saves in it.

    Raises:
        UserError: it cannot be loaded, its base cannot be found, or its context is shorter than ``max_length``.
    """
    # Of a training there may be a model left that only the collector can take away.
    memory.release()
    name, revision = _base_of(folder) if is_reference(folder) else (str(folder), None)
    model = load_model(name, revision, tokenizer)
    demand_context(name, model, config.max_length)
    if Precision.BF16 in (config.precision, config.save_dtype):
        model.to(torch.bfloat16)
    if is_reference(folder) and (folder / ADAPTER_CONFIG).is_file():
        try:
            model = with_adapter(model, folder, len(tokenizer))
        except ValueError as error:
            raise UserError(f"{folder} cannot be loaded: {error}", "Train the checkpoint again") from error
    return model.to(processes().device).eval()


def _base_of(folder: Path) -> tuple[str, str | None]:
    record = base_record(folder)
    name, _ = located(folder, record, None)
    return name, None if Path(name).is_dir() else record.revision
