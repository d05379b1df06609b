"""Which prompts are generated together: a function of the whole list alone, so resuming forms the same chunks."""

from __future__ import annotations

from collections.abc import Sequence

from ..records import Prompt


def chunks(
    prompts: Sequence[Prompt],
    lengths: Sequence[int],
    *,
    new_tokens: int,
    max_prompts: int,
    max_tokens: int | None = None,
) -> list[list[Prompt]]:
    """Longest prompts first, as many to a chunk as the limits allow; a single prompt always fits.

    Longest first, so that memory runs out at the start or not at all, and the time left is never underestimated.

    Args:
        prompts: all prompts of the run, those answered already included.
        lengths: tokens of each.
        new_tokens: the most tokens that an answer may add.
        max_prompts: the most prompts in a chunk.
        max_tokens: the most tokens in a chunk, padding and ``new_tokens`` included; None for no limit.
    """
    order = sorted(range(len(prompts)), key=lambda i: (-lengths[i], prompts[i].key))
    groups: list[list[Prompt]] = []
    room = 0
    for index in order:
        if not groups or len(groups[-1]) >= room:
            groups.append([])
            # The first prompt of a chunk is its longest: every other one is padded to it.
            room = max_prompts if max_tokens is None else max_tokens // (lengths[index] + new_tokens)
            room = max(1, min(room, max_prompts))
        groups[-1].append(prompts[index])
    return groups
