"""Time and memory of a training, and what the weights add to them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from ...harness.core.memory import peak_bytes, reset_peak
from ..losses.modes import LossMode
from ..losses.token_loss import TokenLoss, cross_entropy
from ..losses.weighted import answer_lengths
from .batches import Collator, Examples
from .causal import weighted_forward

_REPEATS = 5
PASSES = 3 * (1 + _REPEATS)
"""How many passes ``overhead`` makes."""


def peak_memory_bytes() -> int:
    """Peak memory since ``reset_peak_memory``: of the GPU where there is one, else of this process."""
    return int(torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else peak_bytes()


def reset_peak_memory() -> None:
    """Start measuring anew."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    else:
        reset_peak()


def overhead(
    model: Any,
    examples: Examples,
    collator: Collator,
    batch_size: int,
    mode: LossMode,
    token_loss: TokenLoss = cross_entropy,
) -> dict[str, Any]:
    """Seconds and peak memory of one forward and backward pass: the library's cross-entropy over full logits, our
    loss with weights of one, and our loss with this arm's weights; medians of five, taken in turn.

    The model is left as it was, random state included. Where the full logits do not fit into memory, the library's
    pass is null.
    """
    model.train()
    device = next(model.parameters()).device
    batch = collator([examples[place] for place in range(min(batch_size, len(examples)))])
    batch = {name: tensor.to(device) for name, tensor in batch.items()}
    lengths = answer_lengths(batch["labels"])
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}

    def plain() -> Any:
        return model(**inputs).loss

    def ours(weights: torch.Tensor) -> Any:
        with weighted_forward(model, token_loss):
            loss = model(**inputs, coefficients=mode.coefficients(weights, lengths))["loss"]
        return loss / mode.denominator(weights, lengths)

    passes = {
        "plain_cross_entropy": plain,
        "ours_unweighted": lambda: ours(torch.ones_like(batch["weights"])),
        "ours_weighted": lambda: ours(batch["weights"]),
    }
    with torch.random.fork_rng():
        measured = {name: _warm(model, loss) for name, loss in passes.items()}
        taken: dict[str, list[tuple[float, int]]] = {name: [] for name in passes}
        for _ in range(_REPEATS):
            for name, loss in passes.items():
                if measured[name]:
                    taken[name].append(measured_pass(model, loss))
    result: dict[str, Any] = {
        name: {
            "seconds": statistics.median(seconds for seconds, _ in values),
            "extra_memory_bytes": max(memory for _, memory in values),
        }
        if values
        else None
        for name, values in taken.items()
    }
    return {**result, "weighted_over_unweighted": _ratio(result, "ours_weighted", "ours_unweighted")} | {
        "weighted_over_plain": _ratio(result, "ours_weighted", "plain_cross_entropy"),
        "examples": int(batch["weights"].numel()),
        "answer_tokens": int(lengths.sum()),
    }


def _ratio(result: dict[str, Any], one: str, other: str) -> float | None:
    return result[one]["seconds"] / result[other]["seconds"] if result[one] and result[other] else None


def _warm(model: Any, loss: Callable[[], Any]) -> bool:
    try:
        measured_pass(model, loss)
    except torch.OutOfMemoryError:
        model.zero_grad()
        return False
    return True


def measured_pass(model: Any, loss: Callable[[], Any]) -> tuple[float, int]:
    """Seconds and additional peak memory of one pass."""
    model.zero_grad()
    reset_peak_memory()
    before = peak_memory_bytes()
    _synchronise()
    start = time.perf_counter()
    loss().backward()
    _synchronise()
    seconds = time.perf_counter() - start
    memory = peak_memory_bytes() - before
    model.zero_grad()
    return seconds, memory


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
