"""The layers of a model compiled by torch, while it is trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._inductor.runtime.cache_dir_utils import cache_dir

from ...harness.core.errors import UserError
from .stock import causal_model

_OPTIONS = {"fallback_random": True}
"""Compiled dropout would draw other units than the same training without a compiler."""
_COMPILERS = ("torch._inductor.exc", "torch._dynamo.exc")
"""Where torch declares what goes wrong in compiling."""
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
    except Exception as error:
        if type(error).__module__ not in _COMPILERS:
            raise
        raise UserError(
            f"torch could not compile {type(causal).__name__}: {_first_line(error)}",
            f"Remove what an interrupted compiler may have left in {cache_dir()}. {_REMEDY}",
        ) from error
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
        raise UserError(
            f"torch cannot compile on this machine: {_first_line(error)}",
            f"Install a C++ compiler such as g++ and on a GPU triton. {_REMEDY}",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
