"""Splitting rows over processes and machines by a stable hash of their id."""

from __future__ import annotations

import hashlib

from ...core.errors import UserError


def shard_of(row_id: str, count: int) -> int:
    """The shard of a row among ``count``: the same everywhere and always."""
    return int.from_bytes(hashlib.sha256(row_id.encode()).digest()[:8], "big") % count


def parse_shard(text: str) -> tuple[int, int]:
    """Read ``i/n`` with 0 ≤ i < n.

    Raises:
        UserError: it is anything else.
    """
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise UserError(f"shard {text!r} is not i/n", "Count from 0: the shards of three are 0/3, 1/3 and 2/3")
    return int(index), int(count)


def shard_name(index: int, count: int) -> str:
    """The shard in a file's name."""
    return f"shard-{index}-of-{count}"
