"""What the words around a finding do to it: negators, time, intensity, and where they end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from ...languages.phrases import Clause, Found
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


@dataclass
class Cues:
    """Cues of a clause by position, so that each finding looks only at its surroundings."""

    negators: dict[int, Found] = field(default_factory=dict)
    negators_by_end: dict[int, Found] = field(default_factory=dict)
    negating: set[int] = field(default_factory=set)
    after: dict[int, Found] = field(default_factory=dict)
    breakers: set[int] = field(default_factory=set)
    joiners: set[int] = field(default_factory=set)
    verbal: set[tuple[int, int]] = field(default_factory=set)
    carriers: set[int] = field(default_factory=set)
    list_joiners: set[int] = field(default_factory=set)
    walls: set[int] = field(default_factory=set)
    modifiers: dict[int, list[Found]] = field(default_factory=lambda: defaultdict(list))


def sort_cues(found: list[Found], matches: list[Found]) -> Cues:
    cues = Cues()
    if not found:
        return cues
    idle: set[int] = set()
    negators, modifiers = [], []
    for item in found:
        cue = item.payload
        if isinstance(cue, Modifier):
            modifiers.append(item)
        elif cue is Cue.NEGATOR:
            negators.append(item)
        elif cue is Cue.BREAKER:
            cues.breakers.add(item.start)
        elif cue is Cue.NOT_NEGATOR:
            idle.update(range(item.start, item.end))
        elif cue is Cue.CARRIER:
            cues.carriers.add(item.start)
        elif cue is Cue.JOINER:
            cues.joiners.add(item.start)
        elif cue is Cue.VERBAL:
            cues.verbal.add((item.start, item.end))
        elif cue is Cue.WALL:
            cues.walls.add(item.start)
        elif cue is Cue.AFTER:
            _keep_longest(cues.after, item)
        elif cue is Cue.LIST_JOINER:
            cues.list_joiners.add(item.start)
    if negators:
        # A condition that begins with a negator ("does not see") leaves it to the findings behind.
        own = {at for item in matches if kind_of(item) is not None for at in item.positions}
        signs = {item.start for item in matches if isinstance(item.payload, Sign)}
        cues.negating = signs.intersection([item.start for item in negators])
        for item in negators:
            if item.start not in own and item.start not in idle:
                _keep_longest(cues.negators, item)
        cues.negators_by_end = {item.end: item for item in cues.negators.values()}
    for item in modifiers:
        if item.start not in idle and item.start not in cues.negators_by_end:
            cues.modifiers[item.start].append(item)
    return cues


def of_the_list(item: Found, clause: Clause, cues: Cues) -> Found | None:
    """The negator before a list of short members, ended by a joiner, that a match is a member of."""
    for start in range(item.start - 1, item.start - _LONGEST_LIST, -1):
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
        free = cues.breakers.isdisjoint(range(negator.end + 1, max(joiner, item.start)))
        inside = clause.breaks.isdisjoint(range(joiner + 2, item.start + 1))
        return negator if commas and short and free and inside else None
    return None


def kind_of(item: Found) -> bool | None:
    """Which matches cover one another: entries, signs, and none of a condition."""
    if isinstance(item.payload, Sign):
        return None if item.payload.condition else True
    return False


def _keep_longest(items: dict[int, Found], item: Found) -> None:
    if item.start not in items or item.end > items[item.start].end:
        items[item.start] = item


def gap_holds(item: Found, cues: Cues) -> bool:
    return any(at in cues.negators for at in range(item.start, item.end) if at not in item.positions)
