"""Questions that are asked again, to see how far an engine's answers are its own and not chance's.

A repeat is asked in other company (its batches are half as large and hold other prompts) and, where answers are
drawn at random, by another seed. It has a key of its own in the store, so it never passes for the first answer.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..core.errors import UserError
from .records import Prompt
from .store.lines import digest

FEWEST = 2
"""So many questions of a severity are asked again at least: one alone tells nothing of how much they vary."""


def demand_share(share: float) -> None:
    """Raises:
    UserError: it is no share of the questions.
    """
    if not 0 < share <= 1:
        raise UserError(
            f"--repeat-share {share:g} is no share of the questions",
            "Give more than 0 and at most 1, such as 0.1, or leave it out",
        )


def chosen(severities: Mapping[str, str], share: float, seed: int) -> frozenset[str]:
    """The ids that are asked again: the same share of every severity, rounded up, whatever the order of the rows.

    A larger share holds all of a smaller one, so that raising it asks nothing twice. The one question of a severity
    that has no other is taken too.

    Args:
        severities: of all questions that are asked, by id.
        share: above 0, at most 1.
        seed: of the choice.

    Raises:
        UserError: so few of a severity, or of all, would tell nothing.
    """
    strata: dict[str, list[str]] = {}
    for row, severity in severities.items():
        strata.setdefault(severity, []).append(row)
    if len(severities) < FEWEST:
        raise UserError(
            f"{len(severities)} question is too little to see how answers vary", "Leave --repeat-share out"
        )
    found: list[str] = []
    wanted = {severity: math.ceil(round(share * len(rows), 9)) for severity, rows in strata.items()}
    few = [severity for severity, rows in strata.items() if wanted[severity] < min(FEWEST, len(rows))]
    if few:
        needed = max(FEWEST / len(strata[severity]) for severity in few)
        raise UserError(
            f"--repeat-share {share:g} asks {wanted[few[0]]} of {len(strata[few[0]])} {few[0]} questions again, "
            "too few to see how answers vary",
            f"Give --repeat-share {min(1.0, math.ceil(100 * needed) / 100):g} or more, or ask more questions",
        )
    for severity, rows in strata.items():
        found += sorted(rows, key=lambda row: (_place(seed, row), row))[: wanted[severity]]
    return frozenset(found)


def again(prompt: Prompt, identity_digest: str) -> Prompt:
    """A prompt that is asked again, under a key that no first answer has."""
    key = digest({"identity": identity_digest, "prompt": prompt.text, "sample": prompt.sample, "repeat": 1})
    return replace(prompt, key=key, repeat=1)


def regrouped(planned: Sequence[Sequence[Prompt]]) -> list[list[Prompt]]:
    """Chunks of repeats, each split in two by turns: even where every question is asked again and all of them would
    meet as before, no batch is the same. A chunk of one stays; there is no other company to give it."""
    halves = (list(half) for chunk in planned for half in (chunk[::2], chunk[1::2]))
    return [half for half in halves if half]


def _place(seed: int, row: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{row}".encode("utf-8", "surrogatepass")).digest()
