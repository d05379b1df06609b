"""From question and answer to token ids and labels: the prompt is context, the answer is what is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

IGNORED = -100
"""Label of a position that is not learned: prompt and padding (PyTorch's ``ignore_index``)."""


@dataclass(frozen=True)
class Encoded:
    """One example: ``labels`` repeats ``input_ids`` over the answer and its end, ``IGNORED`` over the prompt.

    ``prompt_cut`` and ``answer_cut`` count the tokens that did not fit.
    """

    input_ids: list[int]
    labels: list[int]
    prompt_cut: int = 0
    answer_cut: int = 0


def encode_pair(tokenizer: Any, prompt: str, answer: str, max_length: int | None = None) -> Encoded:
    """Encode one example as generation will see it: the prompt's own ids, then one space and the answer, then eos.

    Prompt and answer are tokenized apart, as they are when a model answers; the prompt gets the special tokens that
    the tokenizer gives to any text. What exceeds ``max_length`` is cut from the answer's end (an answer that was
    cut gets no eos: nobody should learn to stop there), except that the answer keeps half the length; then the
    prompt is cut from its beginning.
    """
    prompt_ids: list[int] = tokenizer(prompt)["input_ids"]
    answer_ids: list[int] = tokenizer(" " + answer.strip(), add_special_tokens=False)["input_ids"]
    answer_ids = [*answer_ids, tokenizer.eos_token_id]
    prompt_cut = answer_cut = 0
    if max_length is not None and len(prompt_ids) + len(answer_ids) > max_length:
        room = max(max_length - len(prompt_ids), max_length // 2)
        answer_cut = max(0, len(answer_ids) - room)
        answer_ids = answer_ids[:room]
        prompt_cut = max(0, len(prompt_ids) + len(answer_ids) - max_length)
        prompt_ids = prompt_ids[prompt_cut:]
    return Encoded([*prompt_ids, *answer_ids], [IGNORED] * len(prompt_ids) + answer_ids, prompt_cut, answer_cut)
