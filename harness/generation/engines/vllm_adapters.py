"""Adapters on one vLLM engine: which it may hold, and which of them a prompt is put to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ...core.errors import UserError
from ...core.files import read_json
from ..checkpoints import ADAPTER_CONFIG, ADAPTER_WEIGHTS

_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that vLLM makes room for."""
_AT_ONCE = 8
"""Adapters of one batch; room for each is taken of the accelerator's memory. Further ones wait for their turn."""


def with_zero_adapter(adapters: Sequence[Path | None], scratch: Path) -> list[Path | None]:
    """The adapters, where there are any with one that adds nothing for the base itself.

    Without an adapter, vLLM's build for CPUs gives a prompt the one in the last place.

    Args:
        adapters: of each checkpoint; None for the base.
        scratch: an empty folder, which has to stay as long as the engine.
    """
    like = next(filter(None, adapters), None)
    if like is None or None not in adapters:
        return list(adapters)
    shutil.copy(like / ADAPTER_CONFIG, scratch)
    zeros = {name: torch.zeros_like(tensor) for name, tensor in load_file(like / ADAPTER_WEIGHTS).items()}
    save_file(zeros, scratch / ADAPTER_WEIGHTS)
    return [adapter or scratch for adapter in adapters]


def adapter_arguments(adapters: Sequence[Path | None]) -> dict[str, Any]:
    """The engine's arguments that make room for these adapters; none where there is none.

    Raises:
        UserError: a configuration cannot be read, or a rank is beyond vLLM's.
    """
    found = {adapter: _rank(adapter) for adapter in adapters if adapter is not None}
    if not found:
        return {}
    largest = max(found, key=lambda adapter: found[adapter])
    room = next((rank for rank in _RANKS if rank >= found[largest]), None)
    if room is None:
        raise _export(largest, f"its rank is {found[largest]}, and vLLM's largest {_RANKS[-1]}")
    return {
        "enable_lora": True,
        "max_loras": min(len(found), _AT_ONCE),
        "max_cpu_loras": len(found),
        "max_lora_rank": room,
    }


def adapter_requests(engine: Any, adapters: Sequence[Path | None]) -> list[Any]:
    """What vLLM is to be told of each adapter, after it has read them all; None where there are none.

    Raises:
        UserError: vLLM cannot put one on its base.
    """
    from vllm.lora.request import LoRARequest

    numbers = {adapter: number for number, adapter in enumerate(dict.fromkeys(filter(None, adapters)), start=1)}
    made = {each: LoRARequest(str(number), number, str(each)) for each, number in numbers.items()}
    for adapter, request in made.items():
        with fitting(adapter, ""):
            engine.add_lora(request)
    return [None if adapter is None else made[adapter] for adapter in adapters]


@contextmanager
def fitting(adapter: Path | None, sign: str = "lora") -> Iterator[None]:
    """Within, that vLLM cannot do with an adapter is told in one line with the way around it.

    Args:
        adapter: which; None where there is none.
        sign: what the error of an adapter says and no other.

    Raises:
        UserError: it cannot.
    """
    try:
        yield
    except (ValueError, RuntimeError, AssertionError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        if adapter is None or sign not in str(error).lower():
            raise
        raise _export(adapter, reason) from error


def _rank(adapter: Path) -> int:
    config = read_json(adapter / ADAPTER_CONFIG, "Train the checkpoint again")
    if config.get("peft_type") != "LORA":
        raise _export(adapter, f"it is {config.get('peft_type')}, and vLLM knows LORA alone")
    return max(int(config["r"]), *(int(rank) for rank in (config.get("rank_pattern") or {}).values()), 1)


def _export(adapter: Path, reason: str) -> UserError:
    return UserError(
        f"vLLM cannot put the adapter {adapter} on its base: {reason}",
        "Merge it with `maqa export`, and evaluate what that writes; or use --model hf",
    )
