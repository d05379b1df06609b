"""What is known of a base before its weights are read: whether a training of it could start, and be evaluated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from ...harness.core.errors import UserError
from .adapters import with_adapters
from .bases import LOAD_ERRORS, cannot_load, context_of, demand_context, demand_vocabulary, load_tokenizer
from .config import Method, TrainConfig
from .train import quiet

_T = TypeVar("_T")


def base_problems(
    base: str, revision: str | None, config: TrainConfig, *, new_tokens: int, cached_only: bool = False
) -> list[UserError]:
    """Everything that would stop a training of this base, or the answers of ``new_tokens`` tokens after it.

    Tokenizer and configuration are loaded, and the model is built without its weights; of a folder, the weights'
    files are opened too.

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
        tried(lambda: demand_context(base, model, config.max_length))
        tried(lambda: _demand_room(base, model, new_tokens))
        if config.method is not Method.FULL:
            # In 4 bits the modules have the same names.
            tried(lambda: with_adapters(model, config.model_copy(update={"method": Method.LORA})))
    return found


def _outline(base: str, revision: str | None, cached_only: bool) -> Any:
    """The model on the meta device, where no weight takes memory."""
    try:
        if Path(base).is_dir():
            return AutoModelForCausalLM.from_pretrained(base, device_map="meta")
        config = AutoConfig.from_pretrained(base, revision=revision, local_files_only=cached_only)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config)
    except LOAD_ERRORS as error:
        raise cannot_load(base, error) from error


def _demand_room(base: str, model: Any, new_tokens: int) -> None:
    context = context_of(model)
    if context is not None and new_tokens >= context:
        raise UserError(
            f"{new_tokens} new tokens leave no room for a question in the {context} tokens of base {base}",
            "Choose a decoding with shorter answers, or another base",
        )
