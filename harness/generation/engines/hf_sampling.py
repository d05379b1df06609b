"""Stopping and sampling for transformers, row by row: no answer depends on what else is in its batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, StoppingCriteria, TopPLogitsWarper

from ..endings import cut


class Sampler(LogitsProcessor):  # type: ignore[misc]
    """Draws each row's next token by inverting its cumulative distribution at that row's own random numbers.

    It leaves only the drawn token possible, so that greedy search takes it. transformers itself draws all rows of a
    batch from one generator, which makes an answer depend on its neighbours.

    Args:
        seeds: one per row.
        temperature: divides the scores.
        top_p: the nucleus.
        prompt_tokens: length of the padded prompts.
        max_new_tokens: how many draws a row may need.
    """

    def __init__(
        self, seeds: Sequence[int], temperature: float, top_p: float, prompt_tokens: int, max_new_tokens: int
    ) -> None:
        rows = [
            torch.rand(max_new_tokens, generator=torch.Generator().manual_seed(s), dtype=torch.float64)
            for s in seeds
        ]
        self._uniform = torch.stack(rows)
        self._temperature = temperature
        self._nucleus = TopPLogitsWarper(top_p) if top_p < 1 else None
        self._prompt_tokens = prompt_tokens

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores = scores / self._temperature
        if self._nucleus is not None:
            scores = self._nucleus(input_ids, scores)
        cumulative = torch.softmax(scores.double(), dim=-1).cumsum(dim=-1)
        uniform = self._uniform[:, input_ids.shape[1] - self._prompt_tokens].to(scores.device)[:, None]
        # Strictly below the total, and never onto a token of probability zero.
        drawn = torch.searchsorted(cumulative, uniform * cumulative[:, -1:], right=True).clamp(
            max=scores.shape[1] - 1
        )
        return torch.full_like(scores, -torch.inf).scatter_(1, drawn, 0.0)


class StopRows(StoppingCriteria):  # type: ignore[misc]
    """Ends each row at its end token or at a stop string that counts, and remembers after how many tokens.

    lm-eval's own criteria end a batch only when every row has met the *same* string.

    Args:
        tokenizer: of the model.
        stop: stop strings.
        end_ids: end tokens.
        prompt_tokens: where new tokens begin.
        rows: of the batch.
        pause_at: as soon as no more than so many rows are left the whole batch pauses, to go on without the others.
        stop_of: which stop string ends an answer, by the row and all its tokens; ``cut`` of their text by default.

    Attributes:
        ended: tokens until each row ended; 0 for rows that have not.
    """

    def __init__(
        self,
        tokenizer: Any,
        stop: Sequence[str],
        end_ids: Sequence[int],
        prompt_tokens: int,
        rows: int,
        pause_at: int = 0,
        stop_of: Callable[[int, list[int]], str] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._stop = tuple(stop)
        self._end_ids = frozenset(end_ids)
        self._prompt_tokens = prompt_tokens
        # The model may spell a stop string in any tokens: at most one for each byte.
        self._window = max((len(text.encode()) for text in stop), default=1)
        self._pause_at = pause_at
        self._stop_of = stop_of or (lambda _, tokens: cut(tokenizer.decode(tokens), self._stop)[1])
        self.ended = [0] * rows

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        count = input_ids.shape[1] - self._prompt_tokens
        running = [row for row, ended in enumerate(self.ended) if not ended]
        tails = input_ids[:, self._prompt_tokens :][:, -self._window :].tolist()
        texts = self._tokenizer.batch_decode([tails[row] for row in running]) if self._stop and running else []
        for position, row in enumerate(running):
            # Only where the last tokens hold a stop string is it worth reading the whole answer.
            found = texts and any(stop in texts[position] for stop in self._stop)
            if tails[row][-1] in self._end_ids or (
                found and self._stop_of(row, input_ids[row, self._prompt_tokens :].tolist())
            ):
                self.ended[row] = count
        pause = self.ended.count(0) <= self._pause_at
        return torch.tensor([pause or ended > 0 for ended in self.ended], device=input_ids.device)
