"""A causal model's own forward pass with its head left out: what would reach the head, and what the model adds to
its loss by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pass:
    """``hidden``: what reached the head, (B, T, H). ``logits``: what the model made of the scores that it was given
    for the head's. ``auxiliary``: scalar, what the model's forward pass adds to the loss of its logits, such as the
    balance of a mixture's routers; None where labels were not given. ``calls``: of head and loss function."""

    hidden: Tensor
    logits: Tensor
    auxiliary: Tensor | None
    calls: tuple[int, int]


def causal_model(model: Any) -> Any:
    """The model under a peft wrapper."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def without_head(
    forward: Callable[..., Any], causal: Any, scores: Tensor, labels: Tensor | None, **inputs: Any
) -> Pass:
    """Run the model's forward pass, the head saying ``scores`` and the loss function 0.

    Args:
        forward: the model's own, bound.
        causal: the model, which has a head.
        scores: of any shape that broadcasts to (B, T, V), so that full logits never exist.
        labels: None where the model's forward pass does not take them.
        inputs: of the forward pass.
    """
    hidden: list[Tensor] = []
    losses: list[Tensor] = []

    def say(reached: Tensor, *_: Any, **__: Any) -> Tensor:
        hidden.append(reached)
        return scores

    def nothing(*_: Any, **__: Any) -> Tensor:
        losses.append(torch.zeros((), dtype=torch.float32, device=scores.device))
        return losses[-1]

    given = {} if labels is None else {"labels": labels}
    with _headless(causal, say), _instead(causal, "_loss_function", nothing):
        output = forward(**inputs, **given, use_cache=False)
    calls = (len(hidden), len(losses))
    if len(hidden) != 1:
        raise ValueError(f"the head is asked {len(hidden)} times")
    return Pass(hidden[0], output.logits, None if labels is None else output.loss, calls)


class _Says(torch.nn.Module):
    """Stands where a head stood, and has whatever else that has: some models ask for the type of its weights."""

    def __init__(self, head: torch.nn.Module, forward: Callable[..., Tensor]) -> None:
        super().__init__()
        object.__setattr__(self, "_head", head)
        object.__setattr__(self, "forward", forward)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_head"], name)


@contextmanager
def _headless(causal: Any, say: Callable[..., Tensor]) -> Iterator[None]:
    """The model with another module in the place of its head, whose own hooks would be called with it: those of a
    sharded head gather its weights and let them go again."""
    head = causal.get_output_embeddings()
    places = [(part, name) for part in causal.modules() for name, child in part._modules.items() if child is head]
    for part, name in places:
        part._modules[name] = _Says(head, say)
    try:
        yield
    finally:
        for part, name in places:
            part._modules[name] = head


@contextmanager
def _instead(module: torch.nn.Module, name: str, value: Any) -> Iterator[None]:
    """An attribute of the instance, given back afterwards."""
    before = module.__dict__.get(name)
    object.__setattr__(module, name, value)
    try:
        yield
    finally:
        if before is None:
            module.__dict__.pop(name, None)
        else:
            object.__setattr__(module, name, before)
