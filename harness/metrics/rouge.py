"""ROUGE-1, ROUGE-2 and ROUGE-L on normalised words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import LCSseq

from ..text import Profile, signature, words
from .base import Answers, Scores

_Integers = npt.NDArray[np.int64]

# Keys of (row, word, word) stay far below 2**63 in blocks of this many rows, however long the answers.
_BLOCK = 4096


@dataclass(frozen=True)
class Rouge:
    """F-measure × 100 per answer: shared unigrams, shared bigrams, longest common subsequence (Lin 2004).

    Equal to ``rouge_score`` with a tokenizer that returns ``words(text)``; its own tokenizer keeps ``[a-z0-9]``
    only, so that identical Arabic texts get 0. An answer or a reference without words scores 0.
    """

    code: str = "ar"

    columns = ("rouge1", "rouge2", "rougeL")

    @cached_property
    def signatures(self) -> dict[str, str]:
        end = f"measure:f1|tok:words|{signature(Profile.METRIC, self.code)}|version:1"
        kinds = ("ngram:1", "ngram:2", "lcs:sentence")
        return {column: f"refs:1|{kind}|{end}" for column, kind in zip(self.columns, kinds, strict=True)}

    def score(self, answers: Answers) -> dict[str, Scores]:
        scores = np.zeros((3, len(answers)))
        for start in range(0, len(answers), _BLOCK):
            rows = slice(start, start + _BLOCK)
            scores[:, rows] = self._block(answers.predictions[rows], answers.references[rows])
        return {column: 100 * scores[index] for index, column in enumerate(self.columns)}

    def _block(self, predictions: Sequence[str], references: Sequence[str]) -> Scores:
        """F-measures of shape (3, rows)."""
        vocabulary = _Vocabulary()
        ours, theirs = (
            [list(map(vocabulary.__getitem__, words(text, Profile.METRIC, self.code))) for text in texts]
            for texts in (predictions, references)
        )
        size = len(vocabulary)
        lengths = np.array([[len(text) for text in texts] for texts in (ours, theirs)])
        subsequences = [LCSseq.similarity(*pair) for pair in zip(ours, theirs, strict=True)]
        return np.array(
            [
                _f1(_shared(_unigrams(ours, size), _unigrams(theirs, size)), lengths),
                _f1(_shared(_bigrams(ours, size), _bigrams(theirs, size)), np.maximum(lengths - 1, 0)),
                _f1(np.array(subsequences, dtype=np.int64), lengths),
            ]
        )


class _Vocabulary(dict[str, int]):
    """Numbers words in the order in which they are asked for."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


@dataclass(frozen=True)
class _Ngrams:
    """Distinct n-grams of ``size`` texts: sorted ``keys`` (k,), their ``counts`` (k,) and ``rows`` (k,)."""

    keys: _Integers
    counts: _Integers
    rows: _Integers
    size: int


def _unigrams(texts: list[list[int]], vocabulary: int) -> _Ngrams:
    tokens, rows = _flatten(texts)
    return _count(rows * vocabulary + tokens, vocabulary, len(texts))


def _bigrams(texts: list[list[int]], vocabulary: int) -> _Ngrams:
    tokens, rows = _flatten(texts)
    within = rows[:-1] == rows[1:]
    keys = (rows[:-1] * vocabulary + tokens[:-1]) * vocabulary + tokens[1:]
    return _count(keys[within], vocabulary**2, len(texts))


def _flatten(texts: list[list[int]]) -> tuple[_Integers, _Integers]:
    """All tokens one after the other, and the row of each."""
    tokens = np.fromiter(chain.from_iterable(texts), dtype=np.int64)
    return tokens, np.repeat(np.arange(len(texts)), [len(text) for text in texts])


def _count(keys: _Integers, stride: int, size: int) -> _Ngrams:
    distinct, counts = np.unique(keys, return_counts=True)
    return _Ngrams(distinct, counts, distinct // max(stride, 1), size)


def _shared(prediction: _Ngrams, reference: _Ngrams) -> _Integers:
    """How many n-grams each row shares, counted with multiplicity: shape (size,)."""
    place = np.searchsorted(reference.keys, prediction.keys)
    found = np.flatnonzero(np.append(reference.keys, -1)[place] == prediction.keys)
    shared = np.zeros(prediction.size, dtype=np.int64)
    np.add.at(shared, prediction.rows[found], np.minimum(prediction.counts[found], reference.counts[place[found]]))
    return shared


def _f1(shared: _Integers, lengths: _Integers) -> Scores:
    """2PR / (P + R) with P = shared / prediction length and R = shared / reference length."""
    scores: Scores = 2 * shared / np.maximum(lengths.sum(axis=0), 1)
    return scores
