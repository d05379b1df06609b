"""Whether the largest batch of a training fits into memory, said before the training by measured passes."""

from __future__ import annotations

import os
from typing import Any

import torch

from ...harness.core.memory import give_back
from ..losses.modes import LossMode
from ..losses.token_loss import TokenLoss, cross_entropy
from ..losses.weighted import answer_lengths
from .batches import Collator, Examples
from .causal import weighted_forward
from .config import Precision, TrainConfig
from .cost import measured_pass
from .split import NoRoom, Split, free_bytes

_MOMENTS = 2
"""Of AdamW, in float32 for every trained weight."""


def demand_fit(
    model: Any,
    examples: Examples,
    collator: Collator,
    split: Split,
    config: TrainConfig,
    token_loss: TokenLoss = cross_entropy,
) -> None:
    """Run passes of 1, 2, 4 and so on of the longest examples up to the rows of the split, as long as the next is
    expected to fit beside the optimizer's moments. The model is left as it was.

    Raises:
        NoRoom: the next would not.
    """
    free = free_bytes()
    if free is None:
        return
    if next(model.parameters()).device.type == "cpu":
        # The processes of one machine take from the same.
        free //= int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    gradients = 4 * sum(each.numel() for each in model.parameters() if each.requires_grad)
    moments = _MOMENTS * gradients
    if gradients + moments > free:
        raise _too_much("its gradients and AdamW's moments", gradients + moments, free, "--set method=lora")
    longest = int(examples.lengths.argmax())
    tokens, room, most = int(examples.lengths[longest]), free - moments, split.rows
    rows, taken, each = 1, 0, 0
    try:
        _extra(model, examples, collator, config, token_loss, longest, rows)
        taken = _extra(model, examples, collator, config, token_loss, longest, rows)
        while rows < most and taken + each * rows <= room:
            more = min(2 * rows, most)
            now = _extra(model, examples, collator, config, token_loss, longest, more)
            rows, taken, each = more, now, max(now - taken, 0) // (more - rows)
    except torch.OutOfMemoryError:
        # On a GPU, where nothing else comes to harm: the size that was tried next did not fit.
        taken = room + 1
    if rows == most and taken <= room:
        return
    fitting = rows if taken <= room else rows // 2
    size = next((size for size in range(fitting, 0, -1) if most % size == 0), None)
    raise _too_much(
        f"{most} examples of up to {tokens} tokens",
        taken + (most - rows) * max(each, 1) + moments,
        free,
        "--set gradient_checkpointing=true, a smaller max_length or method=lora"
        if size is None
        else f"--set micro_batch={size}, which is the same training",
    )


def _too_much(what: str, needed: int, free: int, remedy: str) -> NoRoom:
    return NoRoom(
        f"{what} would take about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free", f"Train with {remedy}"
    )


def _extra(
    model: Any,
    examples: Examples,
    collator: Collator,
    config: TrainConfig,
    token_loss: TokenLoss,
    place: int,
    rows: int,
) -> int:
    """Bytes that a pass of ``rows`` examples like this one takes beside the model."""
    model.train()
    device = next(model.parameters()).device
    batch = {name: tensor.to(device) for name, tensor in collator([examples[place]] * rows).items()}
    coefficients = LossMode.PAPER.coefficients(torch.ones(rows, device=device), answer_lengths(batch["labels"]))
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}

    def loss() -> Any:
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision is Precision.BF16):
            return model(**inputs, coefficients=coefficients)["loss"]

    with torch.random.fork_rng(), weighted_forward(model, token_loss):
        give_back()
        return measured_pass(model, loss)[1]
