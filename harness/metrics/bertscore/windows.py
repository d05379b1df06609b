"""Texts that are longer than an encoder reads, read in windows that overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

OVERLAP = 0.5
"""Share of a window that the next one reads again. With half of it every token but the text's first and last ones
has at least a quarter of a window on either side in one of its two windows; more overlap would cost another pass of
the encoder for context that it hardly uses, less would leave tokens at a window's edge."""

_Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Frame:
    """The ids that a tokenizer puts before and after a text, such as [CLS] and [SEP]."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def windows(self, ids: Sequence[int], longest: int) -> list[list[int]]:
        """The windows of a text's whole ids, each with the frame and of at most ``longest`` tokens.

        The first is what is left of the text where it is cut. They are those of a tokenizer's
        ``return_overflowing_tokens`` with a stride of half the tokens that fit.
        """
        inner = self._inner(ids)
        return [[*self.before, *inner[start:end], *self.after] for start, end in self._places(len(inner), longest)]

    def joined(self, vectors: Sequence[_Vectors], ids: Sequence[int], longest: int) -> _Vectors:
        """Vectors of the whole ids, shape (tokens, width), from those of each window.

        A token's vector is from the window in which it has the most context: the larger of the smaller numbers of
        tokens to its left and right there, as in BERT's reading of long documents (``_check_is_max_context`` of its
        run_squad.py); of equals the earlier window. The frame's are the first window's before and the last's after.
        """
        places = self._places(len(self._inner(ids)), longest)
        token = np.arange(places[-1][1])
        context = [
            np.where((start <= token) & (token < end), np.minimum(token - start, end - 1 - token), -1)
            for start, end in places
        ]
        owner = np.argmax(context, axis=0)
        lead, tail = len(self.before), len(self.after)
        inner = [
            window[lead + token[owner == at] - start]
            for at, (window, (start, _)) in enumerate(zip(vectors, places, strict=True))
        ]
        return np.concatenate([vectors[0][:lead], *inner, vectors[-1][len(vectors[-1]) - tail :]])

    def _inner(self, ids: Sequence[int]) -> Sequence[int]:
        return ids[len(self.before) : len(ids) - len(self.after)]

    def _places(self, tokens: int, longest: int) -> list[tuple[int, int]]:
        """Where each window begins and ends among the text's own tokens."""
        size = longest - len(self.before) - len(self.after)
        step = max(1, size - int(size * OVERLAP))
        count = 1 + max(0, -(-(tokens - size) // step))
        return [(at * step, min(at * step + size, tokens)) for at in range(count)]
