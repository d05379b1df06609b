"""The base of a training: its tokenizer and model, with adapters where they are asked for."""

from __future__ import annotations

from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedTokenizerBase

from ...harness.core.errors import UserError
from ...harness.generation.start_token import demand_start, forgotten_start, set_start
from .adapters import four_bits, with_adapters
from .attention import demand_attention
from .base_kind import demand_decoder, demand_model_files, demand_whole
from .config import Method, Precision, TrainConfig
from .unloadable import LOAD, cannot_load, first_line, reason

LOAD_ERRORS = (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError)
"""What transformers raises where files are missing, damaged or of an unknown kind."""


def load_tokenizer(
    base: str,
    revision: str | None,
    pad_token: str | None,
    *,
    add_bos_token: bool | None = None,
    cached_only: bool = False,
) -> PreTrainedTokenizerBase:
    """The base's tokenizer, with ``pad_token`` to pad with if one is given.

    Args:
        add_bos_token: whether texts begin with the start token; None: as the tokenizer has it.
        cached_only: whether the hub is not asked for what its cache lacks.

    Raises:
        UserError: it cannot be loaded, has no eos token, or no pad token and none was given; or it forgets the
            start token that the base was trained with.
    """
    demand_model_files(base)
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, revision=revision, local_files_only=cached_only)
    except LOAD_ERRORS as error:
        why = reason(base, first_line(error))
        raise UserError(f"cannot load the tokenizer of base {base}: {why}", LOAD) from error
    if pad_token is not None:
        if pad_token not in tokenizer.get_vocab():
            remedy = f"Name a token that it has, such as {tokenizer.eos_token!r}"
            raise UserError(f"pad_token {pad_token!r} is not a token of base {base}", remedy)
        tokenizer.pad_token = pad_token
    if tokenizer.eos_token_id is None:
        raise UserError(
            f"the tokenizer of base {base} has no eos token, so no answer could end",
            "Choose another base, or add an eos_token to its tokenizer_config.json",
        )
    if tokenizer.pad_token_id is None:
        raise UserError(
            f"the tokenizer of base {base} has no pad token",
            f"Name one, such as --set pad_token='{tokenizer.eos_token}' (padding is masked even where it is eos)",
        )
    if add_bos_token is not None:
        set_start(tokenizer, add_bos_token)
    else:
        forgotten = forgotten_start(tokenizer, _model_type(base, revision, cached_only), revision)
        demand_start(forgotten, f"base {base}", "--set")
    return tokenizer


def load_model(base: str, revision: str | None, tokenizer: PreTrainedTokenizerBase) -> Any:
    """The base in float32, with the tokenizer's special tokens.

    Raises:
        UserError: it cannot be loaded, lacks weights of a causal language model, or is an encoder-decoder.
    """
    return _load(base, revision, tokenizer, {"dtype": torch.float32})


def load_for_training(
    base: str, revision: str | None, tokenizer: PreTrainedTokenizerBase, config: TrainConfig
) -> Any:
    """The model to train. Adapters are float32; under them the frozen base may be bf16 or 4 bits.

    Raises:
        UserError: as ``load_model`` and ``demand_attention``; bitsandbytes is missing, the adapters' targets are
            unknown, or its context is shorter than ``max_length``.
    """
    demand_attention(base, revision, config)
    frozen_bf16 = config.method is not Method.FULL and config.precision is Precision.BF16
    options: dict[str, Any] = {"dtype": torch.bfloat16 if frozen_bf16 else torch.float32}
    if config.method is Method.QLORA:
        options["quantization_config"] = four_bits(options["dtype"])
    if config.attention is not None:
        options["attn_implementation"] = str(config.attention)
    model = _load(base, revision, tokenizer, options)
    demand_context(base, model, config.max_length)
    return model if config.method is Method.FULL else with_adapters(model, config)


def context_of(model: Any) -> int | None:
    """Tokens that the model can read at most; None where its architecture sets no limit."""
    context: int | None = getattr(model.config, "max_position_embeddings", None)
    # XLNet's -1 says that there is no limit.
    return None if context is None or context < 1 else context


def demand_context(base: str, model: Any, max_length: int) -> None:
    """Raises:
    UserError: the model's context is shorter than ``max_length``.
    """
    context = context_of(model)
    if context is not None and max_length > context:
        raise UserError(
            f"max_length {max_length} is more than the {context} tokens of base {base}",
            f"Train with --set max_length={context} or less",
        )


def demand_vocabulary(base: str, model: Any, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raises:
    UserError: the tokenizer has tokens that the model does not know.
    """
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise UserError(
            f"the tokenizer of base {base} has {len(tokenizer)} tokens, its model fewer",
            "Give a base whose tokenizer and model belong together",
        )


def load_whole(base: str, revision: str | None, **options: Any) -> Any:
    """A causal language model with all of its weights from the base.

    Args:
        options: of ``from_pretrained``.

    Raises:
        UserError: it cannot be loaded, lacks weights of a causal language model, or is an encoder-decoder.
    """
    cached_only = bool(options.get("local_files_only"))
    try:
        config = AutoConfig.from_pretrained(base, revision=revision, local_files_only=cached_only)
        demand_decoder(base, config)
        model, told = AutoModelForCausalLM.from_pretrained(
            base, revision=revision, output_loading_info=True, **options
        )
    except LOAD_ERRORS as error:
        raise cannot_load(base, error) from error
    demand_whole(base, model, set(told["missing_keys"]), set(told["unexpected_keys"]))
    return model


def _model_type(base: str, revision: str | None, cached_only: bool) -> str | None:
    """None where the configuration cannot be loaded, which loading the model will say."""
    try:
        config = AutoConfig.from_pretrained(base, revision=revision, local_files_only=cached_only)
    except LOAD_ERRORS:
        return None
    return str(config.model_type)


def _load(base: str, revision: str | None, tokenizer: PreTrainedTokenizerBase, options: dict[str, Any]) -> Any:
    model = load_whole(base, revision, use_safetensors=None, **options)
    demand_vocabulary(base, model, tokenizer)
    model.config.pad_token_id, model.config.eos_token_id = tokenizer.pad_token_id, tokenizer.eos_token_id
    model.generation_config = _generation_config(model.generation_config, tokenizer)
    return model


def _generation_config(found: GenerationConfig, tokenizer: PreTrainedTokenizerBase) -> GenerationConfig:
    """The base's own, ending at the tokenizer's end token and wherever else the base ends."""
    own = found.eos_token_id if isinstance(found.eos_token_id, list) else [found.eos_token_id]
    ends = [tokenizer.eos_token_id, *(end for end in own if end not in (None, tokenizer.eos_token_id))]
    special = {
        "bos_token_id": found.bos_token_id,
        "eos_token_id": ends if len(ends) > 1 else ends[0],
        "pad_token_id": tokenizer.pad_token_id,
    }
    found.update(**special)
    try:
        found.validate(strict=True)
    except ValueError:
        # Sampling settings beside do_sample=false can be loaded but not saved, which would end the training.
        return GenerationConfig(**special)
    return found
