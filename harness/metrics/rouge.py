"""ROUGE-1, ROUGE-2 and ROUGE-L on normalised words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import LCSseq

from ..languages import Language
from ..languages.text import Profile, normalise, signature
from .base import Answers, Scores
from .registry import Group, metric

_Integers = npt.NDArray[np.int64]

# Keys of (row, word, word) stay far below 2**63 in blocks of this many rows, however long the answers.
_BLOCK = 4096


@metric(
    Group.SIMILARITY,
    meaning={
        "rouge1": "shared words, F-measure",
        "rouge2": "shared word pairs, F-measure",
        "rougeL": "longest common subsequence of words, F-measure",
    },
)
@dataclass(frozen=True)
class Rouge:
    """F-measure × 100 per answer: shared unigrams, shared bigrams, longest common subsequence (Lin 2004).

    Equal to ``rouge_score`` with a tokenizer that returns ``words(text)``; its own tokenizer keeps ``[a-z0-9]``
    only, so that identical Arabic texts get 0. An answer or a reference without words scores 0; as there, one word
    has no bigram, so its ROUGE-2 is 0.
    """

    language: Language

    columns = ("rouge1", "rouge2", "rougeL")

    @cached_property
    def signatures(self) -> dict[str, str]:
        end = f"measure:f1|tok:words|{signature(Profile.METRIC, self.language)}|version:2"
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
        texts = [normalise(text, Profile.METRIC, self.language) for text in (*predictions, *references)]
        tokens, offsets, vocabulary = _tokens(texts)
        size = len(predictions)
        ours, theirs = offsets[: size + 1], offsets[size:]
        lengths = np.array([np.diff(ours), np.diff(theirs)])
        unigrams = [_unigrams(tokens, place, vocabulary) for place in (ours, theirs)]
        bigrams = [_bigrams(tokens, place, vocabulary) for place in (ours, theirs)]
        return np.array(
            [
                _f1(_shared(*unigrams), lengths),
                _f1(_shared(*bigrams), np.maximum(lengths - 1, 0)),
                _f1(_subsequences(tokens, ours, theirs), lengths),
            ]
        )


def _tokens(texts: Sequence[str]) -> tuple[_Integers, _Integers, int]:
    """Words of normalised texts as numbers, one text after the other; where each text begins and the last one ends;
    how many different words there are."""
    # A text without words becomes a null, since splitting it would give one empty word.
    split = pc.ascii_split_whitespace(pa.array([text or None for text in texts], pa.large_string()))
    encoded = split.values.dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), split.offsets.to_numpy(), len(encoded.dictionary)


def _subsequences(tokens: _Integers, ours: _Integers, theirs: _Integers) -> _Integers:
    """Length of the longest common subsequence of each row."""
    numbers = tokens.tolist()
    spans = zip(ours[:-1].tolist(), ours[1:].tolist(), theirs[:-1].tolist(), theirs[1:].tolist(), strict=True)
    return np.array([LCSseq.similarity(numbers[a:b], numbers[c:d]) for a, b, c, d in spans], dtype=np.int64)


@dataclass(frozen=True)
class _Ngrams:
    """Distinct n-grams of ``size`` texts: sorted ``keys`` (k,), their ``counts`` (k,) and ``rows`` (k,)."""

    keys: _Integers
    counts: _Integers
    rows: _Integers
    size: int


def _unigrams(tokens: _Integers, offsets: _Integers, vocabulary: int) -> _Ngrams:
    tokens, rows = _rows(tokens, offsets)
    return _count(rows * vocabulary + tokens, vocabulary, len(offsets) - 1)


def _bigrams(tokens: _Integers, offsets: _Integers, vocabulary: int) -> _Ngrams:
    tokens, rows = _rows(tokens, offsets)
    within = rows[:-1] == rows[1:]
    keys = (rows[:-1] * vocabulary + tokens[:-1]) * vocabulary + tokens[1:]
    return _count(keys[within], vocabulary**2, len(offsets) - 1)


def _rows(tokens: _Integers, offsets: _Integers) -> tuple[_Integers, _Integers]:
    """The tokens between the first and the last offset, and the row of each."""
    return tokens[offsets[0] : offsets[-1]], np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


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
