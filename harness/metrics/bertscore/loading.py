"""How an encoder is loaded: from a folder, the hub or its cache, whole and without pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from ...core.hub import hub_answers, out_of_reach

REMEDY = (
    "Pass the folder of a downloaded copy (--bertscore-model DIR, or MAQA_BERTSCORE_MODEL=DIR under lm_eval); "
    "without a network, set HF_HOME to a cache that holds it and HF_HUB_OFFLINE=1; `none` leaves BERTScore out"
)


def load(source: str) -> tuple[Any, Any]:
    """Network and tokenizer of a hub id or a folder.

    Raises:
        UserError: they cannot be had, are no safetensors, or lack weights.
    """
    cached_only = not Path(source).is_dir() and not hub_answers(source)
    if cached_only and out_of_reach(source):
        raise UserError(
            f"the BERTScore encoder {source} cannot be loaded: it is not in the hub's cache, and the hub does not "
            "answer",
            REMEDY,
        )
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer

    try:
        with _quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=cached_only)
            network, report = AutoModel.from_pretrained(
                source,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                local_files_only=cached_only,
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
        raise UserError(f"the BERTScore encoder {source} cannot be loaded: {reason}", REMEDY) from error
    if missing := [key for key in report["missing_keys"] if not key.startswith("pooler.")]:
        raise UserError(f"encoder {source} lacks the weights {sorted(missing)[0]} and others", REMEDY)
    return network, tokenizer


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No bars and no report about heads that an encoder does not need; missing weights are checked here."""
    from transformers.utils import logging as transformers_logging

    level, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()


def max_length_of(config: Any, tokenizer: Any) -> int:
    """Longest input in tokens."""
    # Without a table of positions only the tokenizer has a limit.
    positions: int = getattr(config, "max_position_embeddings", None) or int(tokenizer.model_max_length)
    if config.model_type in ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert"):
        # These count positions from the one after the padding's.
        positions -= config.pad_token_id + 1
    return min(int(tokenizer.model_max_length), positions)


def digest_of(network: Any, tokenizer: Any) -> str:
    """Identity of weights and vocabulary, wherever they were loaded from."""
    digest = hashlib.sha256()
    for key, tensor in sorted(network.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.contiguous().numpy().data)
    for token, number in sorted(tokenizer.get_vocab().items()):
        digest.update(f"{token} {number}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:12]
