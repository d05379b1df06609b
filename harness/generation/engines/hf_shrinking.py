"""Batches that shrink as answers end, so that the last long answer does not carry the rest along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from .hf_sampling import StopRows

_SMALLEST = 4
"""Rows below which a batch is left as it is: hardly a step is cheaper with fewer."""


@dataclass(frozen=True)
class Row:
    """The new tokens of one row; ``ended`` says after how many it ended by itself, 0 that it did not."""

    tokens: list[int]
    ended: int


def can_shrink(model: Any) -> bool:
    """Whether a model's key-value cache lets rows be taken out."""
    if model.config.is_encoder_decoder or not model._supports_default_dynamic_cache():
        return False
    layers = DynamicCache(config=model.config).layers
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def generate_rows(
    step: Callable[..., Any],
    ids: torch.Tensor,
    mask: torch.Tensor,
    stop_of: Callable[[Sequence[int], int], StopRows],
    *,
    prompt_tokens: int,
    max_new_tokens: int,
    shrink: bool,
) -> list[Row]:
    """Generate until every row has ended, going on without the ended rows whenever an eighth of them have.

    Args:
        step: ``step(rows, ids, mask, cache, max_new_tokens, stop)`` runs the model's ``generate`` on the rows given
            by their places in the batch.
        ids: the prompts, shape (n, width), padded on the left.
        mask: of their tokens, the same shape.
        stop_of: ``stop_of(rows, pause_at)`` makes the criterion for these rows.
        prompt_tokens: where new tokens begin in a row of the output.
        max_new_tokens: the limit of every row.
        shrink: False for one batch to the end.
    """
    found: dict[int, Row] = {}
    rows: Sequence[int] = range(len(ids))
    cache = None
    while True:
        made = ids.shape[1] - prompt_tokens if cache is not None else 0
        stop = stop_of(rows, len(rows) * 7 // 8 if shrink and len(rows) >= _SMALLEST else 0)
        output = step(rows, ids, mask, cache, max_new_tokens - made, stop)
        sequences, cache = output.sequences, output.past_key_values
        new = sequences[:, prompt_tokens:].tolist()
        for row, tokens, ended in zip(rows, new, stop.ended, strict=True):
            if ended or len(tokens) >= max_new_tokens:
                found[row] = Row(tokens[: ended or None], ended)
        places = [place for place, row in enumerate(rows) if row not in found]
        if not places:
            return [found[row] for row in range(len(found))]
        keep = torch.tensor(places, device=sequences.device)
        cache.batch_select_indices(keep)
        fresh = mask.new_ones((len(mask), sequences.shape[1] - mask.shape[1]))
        ids, mask = sequences[keep], torch.cat([mask, fresh], dim=1)[keep]
        rows = [rows[place] for place in places]
