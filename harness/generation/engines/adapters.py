"""An adapter on its base, by peft: merged where that changes nothing, else beside the base's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def with_adapter(model: Any, folder: Path, tokens: int) -> Any:
    """The model with the adapter of a folder, ready to generate.

    In float32 it is merged into the base's weights, as in the model that ``maqa export`` writes; coarser weights
    would round it, so there it stays beside them.

    Args:
        model: the base, loaded by transformers.
        folder: the adapter's, as peft saves it.
        tokens: how many the tokenizer has; an adapter that was trained with more of them than the base knows brings
            their embeddings.

    Raises:
        ValueError: the adapter does not fit the base.
    """
    adapted = load_adapter(model, folder, tokens)
    exact = all(weight.dtype == torch.float32 for weight in model.parameters())
    return adapted.merge_and_unload() if exact and not shared_target(adapted) else adapted.get_base_model()


def load_adapter(model: Any, folder: Path, tokens: int) -> Any:
    """The model as peft has it, with the adapter of a folder beside its weights.

    Raises:
        ValueError: the adapter does not fit the base.
    """
    from peft import PeftModel

    # Never made smaller: many bases have more embeddings than tokens, and an adapter of the head has its size.
    if tokens > model.get_input_embeddings().weight.shape[0]:
        model.resize_token_embeddings(tokens)
    try:
        adapted = PeftModel.from_pretrained(model, str(folder)).eval()
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ValueError(f"the adapter does not fit the base: {reason}") from error
    if adapted.active_peft_config.is_prompt_learning:
        raise ValueError("it has learnt prompts, not weights; give it by peft= beside pretrained=BASE")
    return adapted


def shared_target(adapted: Any) -> bool:
    """Whether there is an adapter on a matrix that serves as head and as embeddings: merged into the one, it would
    change the other."""
    head, embeddings = adapted.get_output_embeddings(), adapted.get_input_embeddings()
    head, embeddings = (getattr(part, "base_layer", part) for part in (head, embeddings))
    if head is None or head.weight is not embeddings.weight:
        return False
    targets = [part.base_layer for part in adapted.modules() if hasattr(part, "base_layer")]
    return any(getattr(part, "weight", None) is head.weight for part in targets)
