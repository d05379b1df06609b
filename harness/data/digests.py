"""Sixteen-byte digests in place of texts: what is compared, sorted and counted in memory."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Digests = npt.NDArray[np.uint64]
"""Digests of n texts, shape (n, 2)."""


def digest(*parts: bytes, size: int = 16) -> bytes:
    """A digest of the parts, in which the borders between them count."""
    hashed = blake2b(digest_size=size)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.digest()


def as_array(digests: Iterable[bytes]) -> Digests:
    """Digests of sixteen bytes as numbers, shape (n, 2), in the order of the bytes."""
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64).reshape(-1, 2)


def sort_keys(digests: Digests) -> tuple[Digests, Digests]:
    """Keys for ``np.lexsort``, whose last key is the first to count."""
    return digests[:, 1], digests[:, 0]


def changes(digests: Digests) -> npt.NDArray[np.bool_]:
    """Whether each row of sorted digests differs from the one before it, shape (n,); the first does."""
    first = np.ones(len(digests), dtype=bool)
    first[1:] = (digests[1:] != digests[:-1]).any(axis=1)
    return first
