"""The examples in their order of training, and the batches made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .encoding import IGNORED, Encoded
from .exposure import UNKNOWN_RANK
from .order import BLANK, Rows


@dataclass(frozen=True)
class Example:
    """Token ids (t,), how many of them are the prompt's, the weight in the loss and the severity's rank."""

    ids: npt.NDArray[np.int32]
    prompt: int
    weight: float
    rank: int


class Examples(torch.utils.data.Dataset[Example]):
    """What the trainer reads, first to last: ``order`` (m,) names rows of the encoded examples, weights (n,) and
    severity ranks (n,)."""

    def __init__(
        self,
        encoded: Encoded,
        weights: npt.NDArray[np.float64],
        ranks: npt.NDArray[np.int64],
        order: Rows,
        filler: int,
    ) -> None:
        """``filler`` is the token of a blank example."""
        self._encoded, self._weights, self._ranks, self._order = encoded, weights, ranks, order
        self._blank = Example(np.array([filler], np.int32), 1, 0.0, UNKNOWN_RANK)

    def __len__(self) -> int:
        return len(self._order)

    @property
    def lengths(self) -> Rows:
        """Tokens of each example in the order of training, (m,); a blank has one."""
        found: Rows = np.where(self._order == BLANK, 1, np.diff(self._encoded.offsets)[self._order])
        return found

    def __getitem__(self, place: int) -> Example:
        row = int(self._order[place])
        if row == BLANK:
            return self._blank
        prompt = int(self._encoded.prompts[row])
        return Example(self._encoded.ids(row), prompt, float(self._weights[row]), int(self._ranks[row]))


@dataclass(frozen=True)
class Collator:
    """Pads a batch on the right. Padding is masked by its place, never by its token: pad may equal eos."""

    pad_id: int

    def __call__(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """``input_ids``, ``attention_mask`` and ``labels`` (B, T), ``weights`` and severity ``ranks`` (B,)."""
        shape = (len(examples), max(len(example.ids) for example in examples))
        ids = torch.full(shape, self.pad_id, dtype=torch.long)
        mask = torch.zeros(shape, dtype=torch.long)
        labels = torch.full(shape, IGNORED, dtype=torch.long)
        for number, example in enumerate(examples):
            length = len(example.ids)
            ids[number, :length] = torch.from_numpy(example.ids)
            mask[number, :length] = 1
            labels[number, example.prompt : length] = ids[number, example.prompt : length]
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "labels": labels,
            "weights": torch.tensor([example.weight for example in examples], dtype=torch.float32),
            "ranks": torch.tensor([example.rank for example in examples], dtype=torch.long),
        }
