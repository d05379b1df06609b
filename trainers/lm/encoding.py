"""From question and answer to token ids and labels: the prompt is context, the answer is what is learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...harness.generation.start_token import keep_last
from .chat import Chat

IGNORED = -100
"""Label of a position that is not learned: prompt and padding (PyTorch's ``ignore_index``)."""

_BATCH = 1000


@dataclass(frozen=True)
class Encoded:
    """n examples, one after the other: the tokens of example i are ``tokens[offsets[i]:offsets[i + 1]]``, the first
    ``prompts[i]`` of them its prompt. ``prompts_cut`` and ``answers_cut`` are tokens (n,) that did not fit."""

    tokens: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    prompts: npt.NDArray[np.int64]
    prompts_cut: npt.NDArray[np.int64]
    answers_cut: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.prompts)

    def ids(self, row: int) -> npt.NDArray[np.int32]:
        """The tokens of one example, prompt and answer."""
        return self.tokens[self.offsets[row] : self.offsets[row + 1]]

    @property
    def answer_lengths(self) -> npt.NDArray[np.int64]:
        """Learned tokens of each example, (n,): the answer and its end; the very first token predicts nothing."""
        lengths: npt.NDArray[np.int64] = np.diff(self.offsets) - np.maximum(self.prompts, 1)
        return lengths

    @property
    def truncation(self) -> dict[str, int]:
        """What was cut, for the manifest."""
        return {
            "answers_cut": int((self.answers_cut > 0).sum()),
            "answer_tokens_cut": int(self.answers_cut.sum()),
            "prompts_cut": int((self.prompts_cut > 0).sum()),
            "prompt_tokens_cut": int(self.prompts_cut.sum()),
        }


def encode(
    tokenizer: Any,
    prompts: Sequence[str],
    answers: Sequence[str],
    max_length: int,
    progress: Callable[[int], None] = lambda rows: None,
    chat: Chat | None = None,
) -> Encoded:
    """Encode examples as generation will see them: the prompt's own ids, then one space and the answer, then eos.

    Prompt and answer are tokenized apart, as they are when a model answers; the prompt gets the special tokens that
    the tokenizer gives to any text. What exceeds ``max_length`` is cut from the answer's end (an answer that was
    cut gets no eos: nobody should learn to stop there), except that the answer keeps half the length; then the
    prompt is cut from its beginning, behind the start token if it has one.

    Args:
        progress: called with the number of rows that were encoded since the last call.
        chat: puts prompt and answer into turns instead; the end of the answer's turn stands for eos.
    """
    parts: list[npt.NDArray[np.int32]] = []
    lengths: list[tuple[int, int, int]] = []
    lead, end = (" ", (tokenizer.eos_token_id,)) if chat is None else (chat.lead, chat.end)
    for start in range(0, len(prompts), _BATCH):
        chunk = slice(start, start + _BATCH)
        # verbose=False: no warning of rows that are too long, which are cut below and counted.
        if chat is None:
            prompt_ids = tokenizer(list(prompts[chunk]), verbose=False)["input_ids"]
        else:
            prompt_ids = chat.prompt_ids(prompts[chunk])
        texts = [lead + answer.strip() for answer in answers[chunk]]
        answer_ids = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        for prompt, answer in zip(prompt_ids, answer_ids, strict=True):
            ids, *counts = _fit(prompt, [*answer, *end], max_length, tokenizer.bos_token_id)
            parts.append(np.array(ids, np.int32))
            lengths.append((counts[0], counts[1], counts[2]))
        progress(len(prompt_ids))
    columns = np.array(lengths, np.int64).reshape(-1, 3).T
    return Encoded(
        np.concatenate([*parts, np.empty(0, np.int32)]),
        np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)]),
        *columns,
    )


def _fit(
    prompt: list[int], answer: list[int], max_length: int, start_id: int | None
) -> tuple[list[int], int, int, int]:
    """The ids that fit, how many are the prompt's, and how many of prompt and answer did not."""
    room = max(max_length - len(prompt), max_length // 2)
    kept = answer[:room]
    prompt_cut = max(0, len(prompt) + len(kept) - max_length)
    left = keep_last(prompt, len(prompt) - prompt_cut, start_id) if prompt_cut < len(prompt) else []
    return [*left, *kept], len(left), prompt_cut, len(answer) - len(kept)
