"""Low-rank adapters on a base, and the base in 4 bits under them."""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import TYPE_CHECKING, Any

from ...harness.core.errors import UserError
from .config import LoraSettings, Method, TrainConfig

if TYPE_CHECKING:
    import torch


def demand_bitsandbytes() -> None:
    """Raises:
    UserError: bitsandbytes is not installed.
    """
    if importlib.util.find_spec("bitsandbytes") is None:
        raise UserError(
            "method qlora needs bitsandbytes, which is not installed",
            "Install it with `pip install bitsandbytes`, or train with --set method=lora",
        )


def four_bits(dtype: torch.dtype) -> Any:
    """NF4 with double quantisation, computing in ``dtype``.

    Raises:
        UserError: bitsandbytes is not installed.
    """
    demand_bitsandbytes()
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype, bnb_4bit_use_double_quant=True
    )


def with_adapters(model: Any, config: TrainConfig) -> Any:
    """The model, frozen, with adapters that are trained.

    Raises:
        UserError: the adapters' targets are unknown, or are weights that serve twice.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if config.method is Method.QLORA:
        # Where it is turned on, that is done around the passes; see recomputation.py.
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    lora: LoraSettings = config.lora
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=None if lora.targets is None else list(lora.targets),
    )
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    shared = head.weight if head is not None and head.weight is embeddings.weight else None
    remedy = "Name the modules with --set lora.targets=[q_proj,v_proj]"
    try:
        adapted = get_peft_model(model, settings)
    except ValueError as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise UserError(f"no adapters for {type(model).__name__}: {reason}", remedy) from error
    adapters = [part.base_layer for part in adapted.modules() if hasattr(part, "base_layer")]
    if shared is not None and any(getattr(part, "weight", None) is shared for part in adapters):
        raise UserError(
            f"{type(model).__name__} uses one matrix as its head and its embeddings: an adapter of the one, "
            "merged, would change the other",
            remedy,
        )
    # Else peft adds whole matrices, untrained, where an adapter is on the head or the embeddings.
    adapted.save_pretrained = partial(adapted.save_pretrained, save_embedding_layers=False)
    return adapted
