"""A server of OpenAI's ``/v1/chat/completions``: SGLang, llama.cpp, Ollama, vLLM, and whoever hosts models."""

from __future__ import annotations

from ...core.errors import UserError
from .base import Asked, Backend, backend, engine
from .values import amount, anything, arguments, flag, settings, text


def _demand_address(config: Asked) -> None:
    given = config.model_args
    if not (given.get("base_url") and given.get("model")):
        raise UserError(
            f"{config.kind} needs an address and a model",
            "Give --model-args base_url=http://HOST:PORT/v1/chat/completions,model=NAME",
        )
    if given.get("tokenized_requests") or str(given.get("tokenizer_backend") or "None").lower() != "none":
        raise UserError(
            f"{config.kind} sends text, which the server's own chat template turns into tokens",
            "Leave tokenized_requests and tokenizer_backend out of --model-args",
        )


backend(
    Backend(
        name="local-chat-completions",
        load=engine("chat_completions", "ChatCompletionsEngine"),
        identity_args={**arguments({"model base_url": text, "think_end_token": anything}), "payload": settings},
        runtime_args=arguments(
            {
                "num_concurrent max_retries timeout": anything,
                "rate price_in price_out": amount,
                "verify_certificate tokenized_requests": flag,
                "ca_cert_path api_key_file": text,
                "tokenizer_backend auth_token header api_key token": anything,
            }
        ),
        secret_args=frozenset(("api_key", "token", "auth_token", "header", "base_url")),
        parallel=False,
        turns=True,
        demands=_demand_address,
    )
)
