"""A server that answers as OpenAI's ``/v1/completions`` does, on lm-eval's ``local-completions`` backend."""

from __future__ import annotations

from ...core.errors import UserError
from .base import Asked, Backend, backend, engine
from .values import anything, arguments, count, flag, text, whole


def _demand_address(config: Asked) -> None:
    given = config.model_args
    if not (given.get("base_url") and (given.get("model") or given.get("pretrained"))):
        raise UserError(
            f"{config.kind} needs an address and a model",
            "Give --model-args base_url=http://HOST:PORT/v1/completions,model=NAME",
        )


backend(
    Backend(
        name="local-completions",
        load=engine("completions", "CompletionsEngine"),
        identity_args=arguments(
            {
                "model pretrained base_url tokenizer revision eos_string": text,
                "max_gen_toks max_length": count,
                "seed custom_prefix_token_id": whole,
                "truncate add_bos_token tokenized_requests trust_remote_code use_fast_tokenizer": flag,
                "tokenizer_backend think_end_token": anything,
            }
        ),
        runtime_args=arguments(
            {
                "num_concurrent max_retries timeout batch_size max_images": anything,
                "verify_certificate": flag,
                "ca_cert_path api_key_file": text,
                "auth_token header api_key token": anything,
            }
        ),
        secret_args=frozenset(("api_key", "token", "auth_token", "header", "base_url")),
        parallel=False,
        demands=_demand_address,
    )
)
