"""Which arithmetic a training computes in, where that is the card's to say or the library's to change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from accelerate.utils import gather_object

from ...harness.core.errors import UserError
from .config import Precision, TrainConfig
from .manifest import stored_identity
from .processes import use_cpu

_OVERRIDE = "NVIDIA_TF32_OVERRIDE"
"""By which NVIDIA's libraries pass over whatever torch asks of them."""


def settled(config: TrainConfig, out: Path) -> TrainConfig:
    """The settings with a precision that ``auto`` has become: the one that ``out`` was begun with, else bf16 where
    the cards of all processes have it, else fp32."""
    if config.precision is not Precision.AUTO:
        return config
    begun = stored_identity(out).get("config.precision")
    if begun is None:
        begun = Precision.BF16 if all(gather_object([has_bf16()])) else Precision.FP32
    return config.model_copy(update={"precision": Precision(begun)})


def has_bf16() -> bool:
    """Whether the card computes in bf16 itself; torch calls bf16 supported where older cards only emulate it."""
    if use_cpu() or not torch.cuda.is_available() or not torch.cuda.is_bf16_supported():
        return False
    return torch.cuda.get_device_capability() >= (8, 0)


def has_tf32() -> bool:
    """Whether the card can round the factors of products of float32 to TF32's 10 bits."""
    return not use_cpu() and torch.cuda.is_available() and torch.cuda.is_tf32_supported()


def demand_arithmetic(config: TrainConfig) -> None:
    """Look whether this machine computes as the settings say.

    Raises:
        UserError: TF32 is asked for and the card has none, or the environment forces or forbids it against the
            settings; or accelerate was asked for another precision, or to compile, by which it would take TF32.
    """
    given = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if given not in ("no", config.precision):
        raise UserError(
            f"accelerate's mixed_precision is {given}, but precision is {config.precision}",
            f"Launch with --mixed_precision no, and choose with --set precision={'|'.join(Precision)}",
        )
    compiler = os.environ.get("ACCELERATE_DYNAMO_BACKEND", "no")
    if compiler.lower() != "no":
        raise UserError(
            f"accelerate's dynamo_backend is {compiler}, under which float32 would be TF32",
            "Launch with --dynamo_backend no, and compile with --set compile=true",
        )
    if config.tf32 and not has_tf32():
        raise UserError(
            "tf32 is asked for, and there is no card that has it", "Leave tf32 out, or take a GPU from Ampere on"
        )
    forced = os.environ.get(_OVERRIDE)
    if forced is not None and has_tf32() and (forced != "0") != bool(config.tf32):
        raise UserError(f"{_OVERRIDE}={forced} contradicts tf32: {config.tf32 or False}", f"Unset {_OVERRIDE}")


@contextmanager
def float32_products(tf32: bool | None) -> Iterator[None]:
    """Inside, products and convolutions of float32 are TF32's on a card that has it if ``tf32``, else exact: by
    itself torch would take TF32 for convolutions."""
    if not has_tf32():
        yield
        return
    products, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = bool(tf32)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions
