"""Which of a backend's model arguments change answers. What is declared nowhere counts as identity, to be safe."""

from __future__ import annotations

from typing import Any

from .config import Kind


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HF_IDENTITY = _names(
    """pretrained backend revision subfolder tokenizer truncation max_length dtype softmax_dtype
    mixed_precision_dtype trust_remote_code use_fast_tokenizer add_bos_token prefix_token_id tp_plan peft delta
    autogptq gptqmodel gguf_file think_end_token enable_thinking chat_template_args"""
)
_HF_RUNTIME = _names(
    """logits_cache device batch_size max_batch_size parallelize max_memory_per_gpu max_cpu_memory offload_folder"""
)
_VLLM_IDENTITY = _names(
    """pretrained dtype revision trust_remote_code tokenizer tokenizer_mode tokenizer_revision add_bos_token
    prefix_token_id tensor_parallel_size quantization max_gen_toks max_length max_model_len seed lora_local_path
    enable_thinking chat_template_args think_end_token max_lora_rank truncation_side enforce_eager"""
)
_VLLM_RUNTIME = _names(
    """batch_size max_batch_size data_parallel_size kv_cache_memory_bytes gpu_memory_utilization max_num_seqs
    max_num_batched_tokens disable_log_stats download_dir"""
)
_COMPLETIONS_IDENTITY = _names(
    """model pretrained base_url tokenizer tokenizer_backend truncate max_gen_toks seed max_length add_bos_token
    custom_prefix_token_id tokenized_requests trust_remote_code revision use_fast_tokenizer eos_string"""
)
_COMPLETIONS_RUNTIME = _names(
    """num_concurrent max_retries batch_size verify_certificate ca_cert_path auth_token timeout header max_images
    api_key api_key_file token"""
)

IDENTITY_ARGUMENTS = {Kind.HF: _HF_IDENTITY, Kind.VLLM: _VLLM_IDENTITY, Kind.COMPLETIONS: _COMPLETIONS_IDENTITY}
RUNTIME_ARGUMENTS = {Kind.HF: _HF_RUNTIME, Kind.VLLM: _VLLM_RUNTIME, Kind.COMPLETIONS: _COMPLETIONS_RUNTIME}

WEIGHT_ARGUMENTS = ("pretrained", "model", "peft", "delta", "lora_local_path", "tokenizer")
"""Arguments that name a folder or a repository of the hub."""
IN_SUBFOLDER = frozenset({"pretrained", "tokenizer"})
"""Those of them whose files lie in the argument ``subfolder`` of it."""


def identity_arguments(kind: Kind, model_args: dict[str, Any]) -> dict[str, Any]:
    """The arguments that change answers."""
    runtime = RUNTIME_ARGUMENTS.get(kind, frozenset())
    return {name: value for name, value in sorted(model_args.items()) if name not in runtime}
