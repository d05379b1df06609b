"""What the words around a finding do to it: negators, time, intensity, and where they end."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise

from ...languages.clauses import Clause
from ...languages.phrases import Found
from .lexicon import Modifier, Sign

_LONGEST_LIST = 20
_LONGEST_MEMBER = 5
"""Words of a list, and of one of its members."""


class Cue(StrEnum):
    """What a phrase of the rules does."""

    NEGATOR = "negator"
    NOT_NEGATOR = "not_negator"
    AFTER = "after"
    BREAKER = "breaker"
    JOINER = "joiner"
    VERBAL = "verbal"
    CARRIER = "carrier"
    LIST_JOINER = "list_joiner"
    WALL = "wall"


# As names of the module: an enumeration's members cost more to look up, and every cue is asked about.
_NEGATOR, _NOT_NEGATOR, _AFTER, _BREAKER, _JOINER, _VERBAL, _CARRIER, _LIST_JOINER, _WALL = Cue


class Cues:
    """Cues of a clause by position, so that each finding looks only at its surroundings.

    ``ends`` are those of ``negators_by_end`` in order; ``negating`` are the signs that deny by their first word.
    """

    __slots__ = (
        "after",
        "breakers",
        "carriers",
        "ends",
        "joiners",
        "list_joiners",
        "modifiers",
        "negating",
        "negators",
        "negators_by_end",
        "verbal",
        "walls",
    )

    def __init__(self) -> None:
        self.negators: dict[int, Found] = {}
        self.negators_by_end: dict[int, Found] = {}
        self.ends: list[int] = []
        self.negating: set[int] = set()
        self.after: dict[int, Found] = {}
        self.breakers: set[int] = set()
        self.joiners: set[int] = set()
        self.verbal: set[tuple[int, int]] = set()
        self.carriers: set[int] = set()
        self.list_joiners: set[int] = set()
        self.walls: set[int] = set()
        self.modifiers: dict[int, list[Found]] = {}


_NO_CUES = Cues()


def sort_cues(found: list[Found], matches: list[Found]) -> Cues:
    if not found:
        return _NO_CUES
    cues = Cues()
    idle: set[int] = set()
    negators, modifiers = [], []
    for item in found:
        cue, positions = item
        if type(cue) is Modifier:
            modifiers.append(item)
        elif cue is _CARRIER:
            cues.carriers.add(positions[0])
        elif cue is _NEGATOR:
            negators.append(item)
        elif cue is _VERBAL:
            cues.verbal.add((positions[0], positions[-1] + 1))
        elif cue is _BREAKER:
            cues.breakers.add(positions[0])
        elif cue is _JOINER:
            cues.joiners.add(positions[0])
        elif cue is _WALL:
            cues.walls.add(positions[0])
        elif cue is _NOT_NEGATOR:
            idle.update(range(item.start, item.end))
        elif cue is _AFTER:
            _keep_longest(cues.after, item)
        elif cue is _LIST_JOINER:
            cues.list_joiners.add(positions[0])
    if negators:
        # A condition that begins with a negator ("does not see") leaves it to the findings behind.
        own = {at for item in matches if kind_of(item) is not None for at in item[1]}
        signs = {item[1][0] for item in matches if type(item[0]) is Sign}
        cues.negating = signs.intersection([item[1][0] for item in negators])
        for item in negators:
            if item[1][0] not in own and item[1][0] not in idle:
                _keep_longest(cues.negators, item)
        cues.negators_by_end = {item.end: item for item in cues.negators.values()}
        cues.ends = sorted(cues.negators_by_end)
    for item in modifiers:
        if item.start not in idle and item.start not in cues.negators_by_end:
            cues.modifiers.setdefault(item.start, []).append(item)
    return cues


def of_the_list(first: int, clause: Clause, cues: Cues) -> Found | None:
    """The negator before a list of short members, ended by a joiner, that what begins at ``first`` is one of."""
    for start in range(first - 1, first - _LONGEST_LIST, -1):
        if start in cues.breakers:
            return None
        negator = cues.negators.get(start)
        if negator is None:
            continue
        near = range(negator.end + 1, negator.end + _LONGEST_LIST)
        joiner = next((at for at in near if at in cues.list_joiners), None)
        if joiner is None:
            return None
        commas = [at for at in range(negator.end + 1, joiner) if at in clause.breaks]
        short = all(after - before <= _LONGEST_MEMBER for before, after in pairwise([negator.end, *commas, joiner]))
        free = cues.breakers.isdisjoint(range(negator.end + 1, max(joiner, first)))
        inside = clause.breaks.isdisjoint(range(joiner + 2, first + 1))
        return negator if commas and short and free and inside else None
    return None


def kind_of(item: Found) -> bool | None:
    """Which matches cover one another: entries, signs, and none of a condition."""
    if type(item[0]) is Sign:
        return None if item[0].condition else True
    return False


def _keep_longest(items: dict[int, Found], item: Found) -> None:
    if item.start not in items or item.end > items[item.start].end:
        items[item.start] = item


def gap_holds(item: Found, cues: Cues) -> bool:
    return any(at in cues.negators for at in range(item.start, item.end) if at not in item.positions)
