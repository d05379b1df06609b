"""Which questions are nearly the same text: MinHash finds candidates, their character n-grams decide.

Each text is the set of its n-grams, with its ends marked, so that a letter counts the same wherever it stands.
Texts whose sets have a Jaccard similarity of ``SIMILARITY`` belong together; short ones need ``SHORT_SIMILARITY``,
as few letters make another question of them. Candidates agree in a band of a MinHash signature by one permutation
(Li, Owen and Zhang 2012, arXiv 1208.1259), its empty bins filled by rotation (Shrivastava and Li 2014, arXiv
1406.4784): a pair at 0.8 is missed once in 500 times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

SIMILARITY, SHORT_SIMILARITY = 0.8, 0.9
SHORT = 100
"""Characters below which a text is short."""
GRAM = 5

_BANDS, _ROWS = 16, 5
_BINS = _BANDS * _ROWS
_CHUNK = 4096
_EMPTY = np.uint32(0xFFFFFFFF)
_BASE = np.uint64(0x100000001B3)
_STEP = 0x9E3779B1
# Of a signature's bins a pair must agree in before its n-grams are looked at.
_AGREE = 0.6

Signatures = npt.NDArray[np.uint32]
Pairs = npt.NDArray[np.int64]


def near_duplicates(n: int, texts: Callable[[Sequence[int]], list[str]]) -> Pairs:
    """Pairs that hold all near-duplicates of n different texts together, shape (pairs, 2).

    Args:
        n: how many they are.
        texts: gives those at some places, so that not all need to be held.
    """
    if n < 2:
        return np.zeros((0, 2), np.int64)
    signatures = np.concatenate(
        [_signatures(texts(range(start, min(start + _CHUNK, n)))) for start in range(0, n, _CHUNK)]
    )
    roots = list(range(n))

    def root(place: int) -> int:
        while roots[place] != place:
            roots[place] = place = roots[roots[place]]
        return place

    found = []
    for first, second in _candidates(signatures).tolist():
        ends = root(first), root(second)
        if ends[0] != ends[1] and alike(*texts([first, second])):
            roots[max(ends)] = min(ends)
            found.append((first, second))
    return np.array(found, np.int64).reshape(-1, 2)


def alike(first: str, second: str) -> bool:
    """Whether two texts are near-duplicates."""
    one, other = _grams(first), _grams(second)
    wanted = SHORT_SIMILARITY if min(len(first), len(second)) < SHORT else SIMILARITY
    return len(one & other) >= wanted * len(one | other)


def _grams(text: str) -> set[str]:
    marked = f"{chr(0) * (GRAM - 1)}{text}{chr(0) * (GRAM - 1)}"
    return {marked[place : place + GRAM] for place in range(len(marked) - GRAM + 1)}


def _signatures(texts: Sequence[str]) -> Signatures:
    """Shape (n, bins)."""
    marks = chr(0) * (GRAM - 1)
    letters = np.frombuffer(
        "".join(f"{marks}{text}{marks}" for text in texts).encode("utf-32-le", "surrogatepass"), np.uint32
    ).astype(np.uint64)
    lengths = np.array([len(text) + 2 * (GRAM - 1) for text in texts])
    counts = lengths - GRAM + 1
    rows = np.repeat(np.arange(len(texts)), counts)
    starts = np.repeat(np.cumsum(lengths) - lengths - (np.cumsum(counts) - counts), counts) + np.arange(len(rows))
    hashed = np.zeros(len(starts), np.uint64)
    for place in range(GRAM):
        hashed = hashed * _BASE + letters[starts + place]
    hashed = _mixed(hashed)
    found = np.full(len(texts) * _BINS, _EMPTY)
    bins = (hashed >> np.uint64(32)) % np.uint64(_BINS)
    np.minimum.at(found, rows * _BINS + bins.astype(np.int64), (hashed & np.uint64(0xFFFFFFFE)).astype(np.uint32))
    table = found.reshape(-1, _BINS)
    empty, filled = table == _EMPTY, table.copy()
    for distance in range(1, _BINS):
        if not empty.any():
            break
        moved = np.roll(table, -distance, axis=1)
        use = empty & (moved != _EMPTY)
        filled[use] = moved[use] + np.uint32(_STEP * distance & 0xFFFFFFFF)
        empty &= ~use
    return filled


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _candidates(signatures: Signatures) -> Pairs:
    """Pairs that agree in a band, each with the next one of its bucket, and in enough bins."""
    n = len(signatures)
    keys = []
    for band in range(_BANDS):
        key = np.zeros(n, np.uint64)
        for column in signatures[:, band * _ROWS : (band + 1) * _ROWS].T:
            key = _mixed(key * _BASE + column)
        order = np.argsort(key, kind="stable")
        same = np.flatnonzero(key[order[1:]] == key[order[:-1]])
        keys.append(order[same].astype(np.int64) * n + order[same + 1])
    pairs = np.unique(np.concatenate(keys))
    first, second = pairs // n, pairs % n
    agree = np.concatenate(
        [np.zeros(0, bool)]
        + [
            (signatures[first[start : start + _CHUNK]] == signatures[second[start : start + _CHUNK]]).mean(axis=1)
            >= _AGREE
            for start in range(0, len(pairs), _CHUNK)
        ]
    )
    return np.column_stack([first[agree], second[agree]])
