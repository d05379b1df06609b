"""What of the lexicon stands in a clause, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ...languages.clauses import Clause
from ...languages.phrases import Found
from .lexicon import Kind

DESTINATIONS = (Kind.EMERGENCY, Kind.HOSPITAL, Kind.NEAREST, Kind.DOCTOR, Kind.VISIT, Kind.TEST)
"""What an action goes to, in the order in which those of the same words are told."""

# A longer phrase of these kinds takes its words from the shorter ones inside it.
_COVERS = {
    Kind.CONCESSION: {Kind.CONDITION},
    Kind.EXEMPT: {Kind.NEGATOR, Kind.AFTER_NEGATOR, Kind.WIDE_NEGATOR},
    Kind.NOW: {Kind.LATER},
    Kind.NOT_REASSURANCE: {Kind.REASSURANCE},
    Kind.NEGATOR: {Kind.DIRECTIVE, Kind.TURN},
    Kind.AFTER_NEGATOR: {Kind.DIRECTIVE},
    Kind.WIDE_NEGATOR: {Kind.DIRECTIVE, Kind.TURN},
    Kind.MENTION: {*DESTINATIONS, Kind.NOW},
}
_NEGATORS = (Kind.NEGATOR, Kind.AFTER_NEGATOR, Kind.WIDE_NEGATOR)


class Cues:
    """What was found in a clause, by kind; phrases inside longer ones that take their words are dropped."""

    def __init__(
        self,
        clause: Clause,
        found: Iterable[Found],
        prefixes: tuple[str, ...],
        conjunctions: frozenset[str],
        unjoined: frozenset[str] = frozenset(),
    ) -> None:
        self._clause = clause
        self._prefixes = prefixes
        self._conjunctions = conjunctions
        self._unjoined = unjoined
        items = [(item.payload.kind, item) for item in found]
        taken: dict[Kind, set[int]] = defaultdict(set)
        for kind, item in items:
            for covered in _COVERS.get(kind, ()):
                taken[covered].update(item.positions)
        # What is exempt gives back the words that its negator would have taken.
        exempt = {at for kind, item in items if kind is Kind.EXEMPT for at in item.positions}
        self.exempt = frozenset(exempt)
        for covered in (Kind.DIRECTIVE, Kind.TURN):
            taken[covered] = {
                at
                for kind, item in items
                if kind in _NEGATORS and covered in _COVERS[kind] and exempt.isdisjoint(item.positions)
                for at in item.positions
            }
        self.found: dict[Kind, list[Found]] = defaultdict(list)
        self.starts: dict[Kind, set[int]] = defaultdict(set)
        for kind, item in items:
            if taken[kind].isdisjoint(item.positions):
                self.found[kind].append(item)
                self.starts[kind].add(item.start)

    def any(self, kind: Kind, positions: range) -> bool:
        """Whether a phrase of the kind begins at one of the positions."""
        return not self.starts[kind].isdisjoint(positions)

    def any_destination(self, positions: range) -> bool:
        """Whether a destination begins at one of the positions."""
        return any(self.any(kind, positions) for kind in DESTINATIONS)

    def breaks_in(self, start: int, end: int) -> bool:
        """Whether a comma or the like stands between two positions."""
        return not self._clause.breaks.isdisjoint(range(start, end + 1))

    def segment(self, start: int, positions: range) -> range:
        """``positions`` up to the next comma after ``start``."""
        stop = min((at for at in self._clause.breaks if at >= start), default=positions.stop)
        return range(positions.start, min(stop, positions.stop))

    def opens(self, item: Found) -> bool:
        """Whether a sentence, or what follows a comma, begins with the phrase."""
        return item.start == 0 or item.start in self._clause.breaks

    def new_statement(self, positions: range) -> bool:
        """Whether a conjunction, or a word that one is written before, stands there."""
        return any(
            word in self._conjunctions
            or (word.startswith(self._prefixes) and len(word) > 2 and word not in self._unjoined)
            for word in self._clause.words[positions.start : positions.stop]
        )

    def last(self, kind: Kind, end: int) -> int | None:
        """Where the last phrase of the kind before a position begins."""
        return max((start for start in self.starts[kind] if start < end), default=None)

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the clause."""
        return self._clause.words

    def opening(self, at: int) -> int:
        """Where the part between commas begins that a position belongs to."""
        return max((start for start in self._clause.breaks if start <= at), default=0)

    def closing(self, at: int) -> int:
        """Where that part ends."""
        return min((end for end in self._clause.breaks if end > at), default=len(self._clause.words))

    def closes(self, condition: Found, end: int) -> bool:
        """Whether a condition that ends a statement ("rest if tired, and go") ends before a position."""
        before = self._clause.words[condition.start - 1] if condition.start else ""
        begins = self.opens(condition) or before in self._conjunctions
        return not begins and (self.breaks_in(condition.end, end) or self.new_statement(range(condition.end, end)))
