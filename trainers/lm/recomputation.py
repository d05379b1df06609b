"""Gradient checkpointing: little of a forward pass is kept for the backward pass, the rest computed again.

Gradients are equal: it is the same computation, with the same dropout. It costs a second forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from ...harness.core import memory
from ...harness.core.errors import UserError
from .split import NoRoom
from .stock import causal_model

SETTINGS = {"use_reentrant": False}
"""Of torch's two forms the one that works where nothing of a layer's input needs a gradient, as under adapters."""

_T = TypeVar("_T")


def where_needed(asked: bool | Literal["auto"], model: Any, attempt: Callable[[], _T]) -> tuple[_T, bool]:
    """What an attempt finds, and whether it recomputed: under ``auto`` only where there is no room without.

    Args:
        attempt: passes of the model.

    Raises:
        NoRoom: of the last attempt.
        UserError: as ``recomputing``.
    """
    if asked == "auto":
        try:
            return attempt(), False
        except NoRoom:
            if not _supports(model):
                raise
        # What did not fit hung on the error.
        memory.release()
    with recomputing(model, bool(asked)):
        return attempt(), bool(asked)


@contextmanager
def recomputing(model: Any, on: bool) -> Iterator[None]:
    """Inside, the model's passes recompute, if they are to.

    Raises:
        UserError: the model cannot.
    """
    if not on:
        yield
        return
    if not _supports(model):
        raise UserError(
            f"{type(causal_model(model)).__name__} has no gradient checkpointing",
            "Leave gradient_checkpointing out, and take --set micro_batch=auto",
        )
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=SETTINGS)
    try:
        yield
    finally:
        model.gradient_checkpointing_disable()


def _supports(model: Any) -> bool:
    return bool(getattr(causal_model(model), "supports_gradient_checkpointing", False))
