"""Which implementation of attention a base is trained with, looked at before its weights are loaded."""

from __future__ import annotations

import importlib.util

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from ...harness.core.errors import UserError
from .config import Attention, Precision, TrainConfig

_PACKAGE = "flash_attn"


def demand_attention(base: str, revision: str | None, config: TrainConfig, *, cached_only: bool = False) -> None:
    """Look whether a base can be trained with the attention of the settings.

    Raises:
        UserError: its architecture does not have it, or flash attention lacks its package, a GPU or bf16. Without
            the package transformers would fetch compiled code from the hub in its place.
    """
    asked = config.attention
    if asked is None:
        return
    remedy = "Train with --set attention=sdpa, or leave attention out"
    if asked is Attention.FLASH:
        if importlib.util.find_spec(_PACKAGE) is None:
            raise UserError(
                f"attention {asked} needs the package {_PACKAGE}, which is not installed",
                f"pip install flash-attn --no-build-isolation. {remedy}",
            )
        if not torch.cuda.is_available():
            raise UserError(f"attention {asked} needs a GPU and there is none", remedy)
        if config.precision is Precision.FP32:
            raise UserError(f"attention {asked} does not compute in fp32", f"Add --set precision=bf16. {remedy}")
    try:
        found = AutoConfig.from_pretrained(base, revision=revision, local_files_only=cached_only)
        with torch.device("meta"):
            AutoModelForCausalLM.from_config(found, attn_implementation=str(asked))
    except (ValueError, ImportError) as error:
        reason = str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
        raise UserError(
            f"base {base} cannot be trained with attention {asked}: {reason}",
            "Leave attention out, or train with --set attention=eager",
        ) from error
    except OSError:
        # Loading it will say why.
        return
