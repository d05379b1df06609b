"""Train, validation and test by question group: no question stands in two splits."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from .digests import Digests, changes, sort_keys
from .labels import Ranks

Places = npt.NDArray[np.int64]


def shuffled_keys(group: Digests, seed: int) -> npt.NDArray[np.uint64]:
    """A random number for every row, shape (n,), made of its question and the seed alone."""
    salt = blake2b(str(seed).encode(), digest_size=16).digest()
    hashes = (blake2b(key.tobytes(), digest_size=8, salt=salt).digest() for key in group.astype(">u8"))
    return np.frombuffer(b"".join(hashes), dtype=">u8").astype(np.uint64)


def split_groups(group: Digests, row: Digests, ranks: Ranks, sizes: dict[str, int], seed: int) -> dict[str, Places]:
    """Places of the rows of every split in ``sizes`` and, for what remains, of ``train``.

    Each question group goes as a whole into one split. A split takes from every severity (a group's is its most
    severe row's) the same fraction, groups in the order of ``shuffled_keys``; a group that would be too large for
    what is left is passed over. A split may therefore be a few rows short, and never too large. Neither the
    membership nor the order of the rows in a split, which is that of the keys, depends on the order of the rows
    given.

    Args:
        group: digests of the questions. row: digests of the rows, for the order of rows of one question.
        ranks: severities. sizes: rows wanted by split. seed: any integer.
    """
    keys = shuffled_keys(group, seed)
    order = np.lexsort((*sort_keys(row), *sort_keys(group), keys))
    starts = np.flatnonzero(changes(group[order]))
    lengths = np.diff(np.append(starts, len(order)))
    strata = np.maximum.reduceat(ranks[order], starts) if len(order) else np.zeros(0, dtype=np.int8)
    owner = np.full(len(starts), -1)
    for number, wanted in enumerate(sizes.values()):
        left = wanted
        for stratum, quota in _quotas(strata, lengths, wanted).items():
            left -= _fill(owner, number, lengths, strata == stratum, quota)
        _fill(owner, number, lengths, np.ones(len(starts), dtype=bool), left)
    of_row = np.repeat(owner, lengths)
    return {"train": order[of_row == -1]} | {name: order[of_row == number] for number, name in enumerate(sizes)}


def _quotas(strata: Ranks, lengths: Places, wanted: int) -> dict[int, int]:
    """Rows for each stratum in proportion to its rows; the largest remainders first, ties to the more severe."""
    rows = {int(stratum): int(lengths[strata == stratum].sum()) for stratum in np.unique(strata)[::-1]}
    total = sum(rows.values())
    quotas = {stratum: wanted * count // total for stratum, count in rows.items()}
    by_remainder = sorted(rows, key=lambda stratum: wanted * rows[stratum] % total, reverse=True)
    for stratum in by_remainder[: wanted - sum(quotas.values())]:
        quotas[stratum] += 1
    return quotas


def _fill(owner: Places, number: int, lengths: Places, eligible: npt.NDArray[np.bool_], wanted: int) -> int:
    """Give groups without owner to split ``number`` until ``wanted`` rows are reached; return the rows given."""
    left = wanted
    for place in np.flatnonzero(eligible & (owner == -1)):
        if not left:
            break
        if lengths[place] <= left:
            owner[place] = number
            left -= int(lengths[place])
    return wanted - left
