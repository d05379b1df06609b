"""Embedded texts of BERTScore: how they are grouped, kept and matched."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .encoder import Vectors

_BLOCK_TOKENS = 1 << 16

Tokens = dict[str, list[int]]
"""The token ids of each text."""


@dataclass(frozen=True)
class Embedded:
    """A text's vectors of length 1, shape (tokens, width), and which tokens count, shape (tokens,)."""

    vectors: Vectors
    counts: npt.NDArray[np.bool_]


class Cache:
    """The batches of embeddings used last, up to a number of bytes.

    A text's vectors differ in their last bits with the batch that it was read in, so it is kept and found by that.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes, self._bytes = limit_bytes, 0
        self._items: OrderedDict[tuple[str, ...], list[Embedded]] = OrderedDict()

    def get(self, batch: Sequence[str]) -> list[Embedded] | None:
        return self._items.get(tuple(batch))

    def put(self, batch: Sequence[str], embedded: list[Embedded]) -> None:
        if tuple(batch) not in self._items:
            self._bytes += _size(embedded)
        self._items[tuple(batch)] = embedded
        self._items.move_to_end(tuple(batch))
        while self._bytes > self.limit_bytes:
            _, dropped = self._items.popitem(last=False)
            self._bytes -= _size(dropped)


def _size(embedded: Iterable[Embedded]) -> int:
    return sum(each.vectors.nbytes for each in embedded)


def blocks(pairs: Iterable[tuple[str, str]], tokens: Tokens) -> Iterator[list[tuple[str, str]]]:
    """Pairs whose embeddings fit into memory together; pairs of one answer follow each other."""
    block: list[tuple[str, str]] = []
    size = 0
    for pair in sorted(pairs, key=lambda pair: (len(tokens[pair[0]]), pair)):
        own = sum(len(tokens[text]) for text in pair)
        if block and size + own > _BLOCK_TOKENS:
            yield block
            block, size = [], 0
        block.append(pair)
        size += own
    yield block


def batches(texts: Iterable[str], tokens: Tokens, budget: int) -> Iterator[list[str]]:
    """Texts of similar length, as many as fit the budget when padded to the longest."""
    batch: list[str] = []
    for text in sorted(texts, key=lambda text: (len(tokens[text]), text)):
        if batch and len(tokens[text]) * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def f1(prediction: Embedded, reference: Embedded) -> float:
    """2PR / (P + R): P is the mean best cosine similarity over the answer's tokens, R over the reference's.

    As in bert-score, every token of the other text can be matched, and only those that count enter the mean.
    """
    if not (prediction.counts.any() and reference.counts.any()):
        return 0.0
    similarity = prediction.vectors @ reference.vectors.T
    precision = np.maximum(similarity.max(axis=1), 0)[prediction.counts].mean(dtype=np.float64)
    recall = np.maximum(similarity.max(axis=0), 0)[reference.counts].mean(dtype=np.float64)
    total = float(precision + recall)
    # Rounding takes the cosine of equal vectors a little above 1.
    return min(2 * float(precision) * float(recall) / total, 1.0) if total else 0.0
