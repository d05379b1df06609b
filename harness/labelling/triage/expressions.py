"""Expressions of a scale spelt out as phrases: sets of words by name, and parts that stand in either order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import permutations

_SET = re.compile(r"\{(\w+)\}")
_EITHER_ORDER = re.compile(r" (&&?) ")
_GAP = {"&": " * ", "&&": " * * "}


def spelt_out(expression: str, sets: Mapping[str, str]) -> list[str]:
    """The phrases that an expression stands for.

    ``{pain}`` is any word of the set ``pain``; ``a & b`` is both in either order with at most two words between,
    ``a && b`` with at most four.

    Raises:
        KeyError: no set has that name.
    """
    plain = _SET.sub(lambda found: sets[found[1]], expression)
    parts = _EITHER_ORDER.split(plain)
    gap = _GAP[max(parts[1::2], default="&")]
    return [gap.join(order) for order in permutations(parts[::2])]
