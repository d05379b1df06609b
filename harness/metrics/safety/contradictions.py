"""Where an answer contradicts its reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...languages import Language
from .opposites import Opposite, contraries
from .polarity_reader import polarity_reader
from .statements import turned

_NEAR, _BESIDE = 6, 2


class Contradiction(NamedTuple):
    """``here`` and ``there`` are places in the answer and in the reference; None where a rule has none."""

    rule: str
    here: int | None
    there: int | None


def contradictions(answer: str, reference: str, language: Language) -> Iterator[Contradiction]:
    """Every contradiction between two texts, the cheapest to find first."""
    reader = polarity_reader(language)
    own, known = reader.read(answer), reader.read(reference)
    said, given = reader.opposites.read(answer), reader.opposites.read(reference)
    for here, there in turned(own, known):
        if not _reconciled(here, there, said, given):
            yield Contradiction("denied", here, there)
    for there, here in turned(known, own):
        if not _reconciled(there, here, given, said):
            yield Contradiction("denied", here, there)
    # Right after a yes stands what is meant by it.
    contrary = contraries(said, given, 1 if said and given and reader.agrees(answer) else None)
    for each in contrary:
        yield Contradiction("contrary", each.place, None)
    # What is contrary to something has its contrary there.
    for each in contraries(given, said) if contrary else ():
        yield Contradiction("contrary", None, each.place)
    verdicts = reader.verdict(answer), reader.verdict(reference)
    if None not in verdicts and verdicts[0] is not verdicts[1]:
        yield Contradiction("verdict", 0, 0)


def _reconciled(denied: int, asserted: int, denying: tuple[Opposite, ...], asserting: tuple[Opposite, ...]) -> bool:
    """Whether the assertion comes to a denial, or a word after the denied one has its contrary near the asserted.

    "Side effects are rare" denies them; "not on an empty stomach" says "after meals".
    """
    if any(each.denies and abs(each.place - asserted) <= _BESIDE for each in asserting):
        return True
    after = {(each.pair, each.said) for each in denying if 0 < each.place - denied <= _NEAR}
    near = {(each.pair, each.said) for each in asserting if abs(each.place - asserted) <= _NEAR}
    return any(
        (pair, 1 - side) in near and (pair, side) not in near and (pair, 1 - side) not in after
        for pair, side in after
    )
