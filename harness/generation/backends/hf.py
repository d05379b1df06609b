"""A model by transformers, on lm-eval's ``hf`` backend."""

from __future__ import annotations

from .base import HUB_TOKENS, Backend, backend, engine
from .models import TF32, demand_model
from .values import anything, arguments, count, dtype, flag, one_of, settings, text, whole

backend(
    Backend(
        name="hf",
        load=engine("hf", "HFEngine"),
        identity_args={
            **arguments(
                {
                    "pretrained revision subfolder tokenizer peft delta gguf_file variant": text,
                    "attn_implementation bnb_4bit_quant_type bnb_4bit_compute_dtype": text,
                    "dtype softmax_dtype mixed_precision_dtype": dtype,
                    "max_length": count,
                    "prefix_token_id": whole,
                    "truncation trust_remote_code use_fast_tokenizer add_bos_token gptqmodel enable_thinking": flag,
                    "load_in_8bit load_in_4bit bnb_4bit_use_double_quant use_safetensors": flag,
                    "autogptq tp_plan think_end_token quantization_config": anything,
                    "chat_template_args": settings,
                }
            ),
            "backend": one_of("default", "causal", "seq2seq"),
        },
        runtime_args=arguments(
            {
                "logits_cache parallelize low_cpu_mem_usage local_files_only": flag,
                "base device offload_folder cache_dir": text,
                "max_batch_size": count,
                "batch_size max_memory_per_gpu max_cpu_memory device_map": anything,
            }
        ),
        secret_args=HUB_TOKENS,
        weights=("pretrained", "peft", "delta", "tokenizer"),
        keeps_dtype=True,
        libraries=("transformers",),
        environment=TF32,
        device=True,
        gpus=lambda _: 1,
        chat=True,
        demands=demand_model,
    )
)
