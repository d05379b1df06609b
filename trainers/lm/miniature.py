"""A model of an architecture at toy size, which answers in a moment what its forward pass does."""

from __future__ import annotations

import copy
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig

_VOCABULARY, _LAYERS = 64, 2
_SIZES: dict[str, int] = {
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "emb_dim", "embedding_size", "embedding_dim"), 32),
    "hidden_size_global": 32,
    **dict.fromkeys(("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "d_ff", "dff", "d_inner"), 48),
    **dict.fromkeys(("decoder_ffn_dim", "encoder_ffn_dim", "dim_ff"), 48),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), _LAYERS),
    **dict.fromkeys(("decoder_layers", "encoder_layers", "num_decoder_layers", "num_encoder_layers"), _LAYERS),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads", "index_n_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "encoder_attention_heads", "num_decoder_attention_heads"), 4),
    **dict.fromkeys(("linear_num_key_heads", "linear_num_value_heads", "num_encoder_attention_heads"), 4),
    **dict.fromkeys(("head_dim", "d_head", "dim_head", "global_head_dim", "index_head_dim", "v_head_dim"), 8),
    **dict.fromkeys(("qk_nope_head_dim", "qk_rope_head_dim", "linear_key_head_dim", "linear_value_head_dim"), 8),
    **dict.fromkeys(("kv_lora_rank", "q_lora_rank"), 16),
    "rotary_dim": 4,
    **dict.fromkeys(("max_position_embeddings", "n_positions", "max_seq_len"), 64),
    "sliding_window": 8,
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 16),
    "moe_shared_expert_intermediate_size": 16,
    **dict.fromkeys(("num_experts_per_tok", "num_experts_per_token", "moe_k", "moe_top_k"), 2),
    **dict.fromkeys(("n_group", "topk_group", "n_shared_experts"), 1),
    **dict.fromkeys(("mamba_n_heads", "mamba_num_heads", "mamba_d_head", "mamba_head_dim", "mamba_d_state"), 8),
    **dict.fromkeys(("state_size", "n_mamba_heads", "mamba_headdim"), 8),
    "mamba_d_ssm": 64,
    "lru_width": 32,
    **dict.fromkeys(("qk_head_dim", "attention_head_dim", "expert_ffn_hidden_size"), 16),
    "attention_hidden_size": 64,
    **dict.fromkeys(("expand", "n_groups"), 1),
    "num_kv_shared_layers": 0,
}
"""What a configuration calls its sizes, and what they become where they are larger."""

_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads")
_DEPTHS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers")


def miniature(config: PretrainedConfig) -> Any:
    """A causal model of random weights, all settings but the sizes as they are: switches, scales and caps.

    Raises:
        Exception: whatever the model's code says of sizes that do not fit together in this architecture.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(shrunk(config), dtype=torch.float32)


def shrunk(config: PretrainedConfig) -> PretrainedConfig:
    """A copy of a configuration, and of those in it, with small sizes."""
    small = copy.deepcopy(config)
    _shrink(small)
    return small


def _shrink(config: Any) -> None:
    layers, heads = _first(config, _DEPTHS), _first(config, _HEADS)
    groups = getattr(config, "num_key_value_heads", None)
    for key, value in list(vars(config).items()):
        if isinstance(value, PretrainedConfig):
            _shrink(value)
        elif type(value) is int and value > (size := _VOCABULARY if "vocab" in key else _SIZES.get(key, value)):
            setattr(config, key, size)
        elif key.endswith("_token_id") and value is not None:
            ids = [each % _VOCABULARY for each in (value if isinstance(value, list) else [value])]
            setattr(config, key, ids if isinstance(value, list) else ids[0])
        elif isinstance(value, list | tuple) and layers is not None and len(value) == layers:
            # What is said of each layer.
            setattr(config, key, value[:_LAYERS])
    if isinstance(groups, int):
        config.num_key_value_heads = _SIZES["num_attention_heads"] if groups == heads else min(groups, 2)


def _first(config: Any, names: tuple[str, ...]) -> int | None:
    found = (getattr(config, name, None) for name in names)
    return next((value for value in found if isinstance(value, int)), None)
