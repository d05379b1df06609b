"""What is known of a base before its weights are read: whether a training of it could start, and be evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from ...harness.core.errors import UserError
from ...harness.core.hub import in_cache
from .adapters import with_adapters
from .attention import demand_attention
from .base_kind import demand_decoder, demand_model_files
from .bases import LOAD_ERRORS, context_of, demand_context, demand_vocabulary, load_tokenizer, load_whole
from .chat import demand_template
from .config import Method, TrainConfig
from .head_check import check_head
from .miniature import miniature
from .train import quiet
from .unloadable import cannot_load

_T = TypeVar("_T")


def base_problems(
    base: str, revision: str | None, config: TrainConfig, *, new_tokens: int, cached_only: bool = False
) -> list[UserError]:
    """Everything that would stop a training of this base, or the answers of ``new_tokens`` tokens after it.

    Tokenizer and configuration are loaded, and the model is built without its weights; where these are on this
    machine, their names are read too. How its forward pass works is asked of a model of its kind at toy size.

    Args:
        base: a folder or a hub id.
        revision: of a hub id.
        config: the settings of the training.
        new_tokens: the longest answer that will be generated.
        cached_only: whether the hub is not asked for what its cache lacks.
    """
    found: list[UserError] = []

    def tried(check: Callable[[], _T]) -> _T | None:
        try:
            return check()
        except UserError as error:
            found.append(error)
            return None

    with quiet():
        tried(lambda: demand_model_files(base))
        if found:
            return found
        model = tried(lambda: _outline(base, revision, cached_only))
        if model is None and not Path(base).is_dir():
            return found
        tokenizer = tried(
            lambda: load_tokenizer(
                base, revision, config.pad_token, add_bos_token=config.add_bos_token, cached_only=cached_only
            )
        )
        if model is None:
            return found
        if tokenizer is not None:
            tried(lambda: demand_vocabulary(base, model, tokenizer))
        if tokenizer is not None and config.chat_template:
            tried(lambda: demand_template(tokenizer))
        tried(lambda: demand_context(base, model, config.max_length))
        tried(lambda: _demand_room(base, model, new_tokens))
        tried(lambda: _demand_head(model))
        tried(lambda: demand_attention(base, revision, config, cached_only=cached_only))
        if config.method is not Method.FULL:
            # In 4 bits the modules have the same names.
            tried(lambda: with_adapters(model, config.model_copy(update={"method": Method.LORA})))
    return found


def _outline(base: str, revision: str | None, cached_only: bool) -> Any:
    """The model on the meta device, where no weight takes memory."""
    if Path(base).is_dir() or _weights_cached(base, revision):
        return load_whole(base, revision, device_map="meta", local_files_only=True)
    try:
        config = AutoConfig.from_pretrained(base, revision=revision, local_files_only=cached_only)
        demand_decoder(base, config)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config)
    except LOAD_ERRORS as error:
        raise cannot_load(base, error) from error


def _weights_cached(base: str, revision: str | None) -> bool:
    """Whether the hub's cache has all weights of a base, as safetensors."""

    if in_cache(base, SAFE_WEIGHTS_NAME, revision):
        return True
    index = in_cache(base, SAFE_WEIGHTS_INDEX_NAME, revision)
    try:
        shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values() if index else ()
    except (OSError, ValueError, KeyError):
        return False
    return bool(shards) and all(in_cache(base, shard, revision) for shard in set(shards))


def _demand_head(model: Any) -> None:
    """As ``check_head``, of a model of the same kind at toy size.

    Where none can be made, the check is left to the training, which begins with it.
    """
    try:
        small = miniature(model.config).eval()
        with torch.no_grad():
            small(input_ids=torch.arange(3, 11)[None])
    except Exception:
        # Sizes of an architecture that do not fit together; nothing is known of the base itself.
        return
    check_head(small)


def _demand_room(base: str, model: Any, new_tokens: int) -> None:
    context = context_of(model)
    if context is not None and new_tokens >= context:
        raise UserError(
            f"{new_tokens} new tokens leave no room for a question in the {context} tokens of base {base}",
            "Choose a decoding with shorter answers, or another base",
        )
