"""The layers of a model compiled by torch, while it is trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ...harness.core.errors import UserError
from .stock import causal_model

_OPTIONS = {"fallback_random": True}
"""Compiled dropout would draw other units than the same training without a compiler."""
_REMEDY = "Leave compile out"


@contextmanager
def compiled(model: Any, on: bool) -> Iterator[None]:
    """Inside, everything below the model's head is compiled, for batches of any shape; names of weights stay.

    Head and loss stay as they are: they work chunk by chunk, in place.

    Raises:
        UserError: nothing can be compiled here, the model has no layers apart from its head, or it is sharded.
    """
    if not on:
        yield
        return
    causal = causal_model(model)
    body = causal.base_model
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        raise UserError("compile is not for models that are sharded over processes", _REMEDY)
    if body is causal:
        raise UserError(f"{type(causal).__name__} has no layers apart from its head to compile", _REMEDY)
    demand_compiler(next(body.parameters()).device)
    body.compile(dynamic=True, options=_OPTIONS)
    try:
        yield
    finally:
        body._compiled_call_impl = None
        # What was compiled holds on to the weights.
        torch.compiler.reset()


def demand_compiler(device: torch.device) -> None:
    """Compile a line for the device.

    Raises:
        UserError: that does not work.
    """
    try:
        torch.compile(lambda x: 2 * x + 1)(torch.ones(2, device=device))
    except Exception as error:
        # Whatever is missing: a compiler, Python's headers, triton, or a system that torch compiles for.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"torch cannot compile on this machine: {lines[0].rstrip('.')}",
            f"Install a C++ compiler such as g++ and on a GPU triton. {_REMEDY}",
        ) from error
