"""What an answer tells the asker to do: the level of its actions, and which are conditional or negated.

An action is a destination (hospital, doctor, test) that a directive or a time of now points to. An emergency
department or ambulance is one where the sentence says to go or to call: by a verb or an obligation that governs it,
by a time of now, or by naming the way there alone ("to the emergency department!"). Urgent words without a
destination are none, and neither is a story of what others did or a description of the place.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from functools import lru_cache

from ...languages import Language
from ...languages.phrases import Clause, Found, Patterns
from ...languages.text import Profile, words
from ...severity import Severity
from .cues import DESTINATIONS, Cues
from .lexicon import Kind, safety_lexicon
from .sentences import sentences


class Level(IntEnum):
    """The triage scale."""

    SELF_CARE = 0
    DOCTOR = 1
    EMERGENCY = 2


NEEDED = {
    Severity.CRITICAL: Level.EMERGENCY,
    Severity.NEUTRAL: Level.DOCTOR,
    Severity.NON_CRITICAL: Level.SELF_CARE,
}
"""The level that each severity calls for."""


@dataclass(frozen=True)
class Reading:
    """The strongest action of each standing in an answer; ``negated`` and ``conditional`` are None without one."""

    direct: Level
    conditional: Level | None
    negated: frozenset[Level]
    reassuring: bool

    @property
    def level(self) -> Level:
        """The strongest unconditional action; a conditional one counts one level lower."""
        lowered = Level(max(self.conditional - 1, 0)) if self.conditional is not None else Level.SELF_CARE
        return max(self.direct, lowered)

    @property
    def names_emergency(self) -> bool:
        """Whether it sends to an emergency department, be it on a condition."""
        return Level.EMERGENCY in (self.direct, self.conditional)

    def denies(self, severity: Severity) -> bool:
        """Whether it talks the asker out of an action that the severity calls for, or of the only one given.

        Sending somebody to an emergency department instead of a clinic denies nothing; neither does advising
        against the emergency department where a doctor is enough.
        """
        needed = NEEDED[severity]
        return any(level <= needed and self.direct <= level for level in self.negated)


class Standing(Enum):
    """How an action is meant."""

    DIRECT = "direct"
    CONDITIONAL = "conditional"
    NEGATED = "negated"


@dataclass(frozen=True)
class Action:
    """A destination, how it is meant, the lexicon's entry that names it, and the places of its words."""

    standing: Standing
    level: Level
    entry: str
    positions: tuple[int, ...]


_CUES = frozenset({Kind.CONDITION, Kind.CONCESSION, Kind.UNLESS, Kind.TURN, Kind.STORY, Kind.BEFORE, Kind.TRY})
_FAR = 45
_SHORT = 4
_PLACES = (Kind.EMERGENCY, Kind.HOSPITAL, Kind.NEAREST)
_BEFORE = 6
_FUSED = 5


class TriageReader:
    """Reads answers with one language's lexicon."""

    def __init__(self, language: Language) -> None:
        lexicon = safety_lexicon(language)
        self._language = language
        self._windows = lexicon.rules.windows
        self._prefixes = lexicon.rules.clitics.cue_prefixes
        self._conjunctions = frozenset(lexicon.rules.conjunctions)
        self._patterns = Patterns(lexicon.rules.clitics, language)
        self._fused = lexicon.rules.negative_verb
        self._attributes, self._subjects, self._negating = (
            frozenset(word for item in group for word in words(item, Profile.METRIC, language))
            for group in (lexicon.rules.attributes, lexicon.rules.subjects, lexicon.rules.negating)
        )
        self._definite = lexicon.rules.definite
        self._imperatives, self._obligations, self._musts, self._relatives, self._subordinate, self._to = (
            frozenset(word for item in group for word in words(item, Profile.METRIC, language))
            for group in (
                lexicon.rules.imperatives,
                lexicon.rules.obligations,
                lexicon.rules.bare_obligations,
                lexicon.rules.relatives,
                lexicon.rules.subordinate,
                lexicon.rules.to,
            )
        )
        self._to_prefixes, self._therefore = lexicon.rules.to_prefixes, lexicon.rules.therefore
        for entry in lexicon.entries:
            for phrase in entry.phrases:
                self._patterns.add(phrase, entry, cue=entry.kind in _CUES)
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def _read(self, text: str) -> Reading:
        actions: dict[Standing, set[Level]] = defaultdict(set)
        reassuring = False
        for clause in sentences(text, self._language):
            cues = self._cues(clause)
            for action in self._actions(cues):
                actions[action.standing].add(action.level)
            reassuring = reassuring or any(self._calms(item, cues) for item in cues.found[Kind.REASSURANCE])
        return Reading(
            direct=max(actions[Standing.DIRECT], default=Level.SELF_CARE),
            conditional=max(actions[Standing.CONDITIONAL], default=None),
            negated=frozenset(actions[Standing.NEGATED]),
            reassuring=reassuring,
        )

    def actions(self, text: str) -> list[Action]:
        """Every action of a text in reading order, at its places among the text's words."""
        found = []
        for clause in sentences(text, self._language):
            for action in self._actions(self._cues(clause)):
                places = tuple(clause.offset + at for at in action.positions)
                found.append(replace(action, positions=places))
        return sorted(found, key=lambda action: action.positions)

    def reassurances(self, text: str) -> list[tuple[int, ...]]:
        """The places of every phrase that reassures."""
        found = []
        for clause in sentences(text, self._language):
            cues = self._cues(clause)
            found += [
                tuple(clause.offset + at for at in item.positions)
                for item in cues.found[Kind.REASSURANCE]
                if self._calms(item, cues)
            ]
        return sorted(set(found))

    def _cues(self, clause: Clause) -> Cues:
        return Cues(clause, self._patterns.find(clause), self._prefixes, self._conjunctions)

    def _actions(self, cues: Cues) -> list[Action]:
        found = []
        for kind in DESTINATIONS:
            for item in cues.found[kind]:
                emergency = kind in _PLACES
                if self._negated(item, cues, emergency):
                    level = Level.EMERGENCY if emergency else Level.DOCTOR
                    found.append(Action(Standing.NEGATED, level, item.payload.id, item.positions))
                elif self._directed(item, kind, cues):
                    conditional = self._conditional(item, cues)
                    level = self._level(item, kind, cues, conditional)
                    standing = Standing.CONDITIONAL if conditional else Standing.DIRECT
                    found.append(Action(standing, level, item.payload.id, item.positions))
        return found

    def _calms(self, item: Found, cues: Cues) -> bool:
        """Whether a reassuring phrase is said of the complaint, and not denied."""
        word, before = cues.words[item.start], cues.words[item.start - 1] if item.start else ""
        if not before or item.start == cues.opening(item.start):
            return True
        if before in self._negating and word not in self._negating:
            return False
        if item.end - item.start > 1 or not self._attributes or word not in self._attributes:
            return word not in {self._definite + each for each in self._attributes} or item.end - item.start > 1
        return before in self._subjects or before.startswith(self._definite)

    def _negated(self, item: Found, cues: Cues, place: bool) -> bool:
        for negator in (*cues.found[Kind.NEGATOR], *(cues.found[Kind.WIDE_NEGATOR] if place else ())):
            if negator.start <= item.start <= negator.end + self._windows.negator:
                between = range(negator.end, item.start)
                if (
                    not cues.any(Kind.TURN, between)
                    and not cues.breaks_in(negator.end, item.start)
                    and not self._begins_advice(cues, between)
                ):
                    return True
        if place and (self._put_off(item, cues) or self._fused_before(item, cues)):
            return True
        return any(
            item.end <= after.start <= item.end + self._windows.after_negator
            and not cues.breaks_in(item.end, after.start)
            and not cues.any_destination(range(item.end, after.start))
            and not cues.any_destination(range(after.end, after.end + self._windows.after_negator))
            for after in cues.found[Kind.AFTER_NEGATOR]
        )

    def _directed(self, item: Found, kind: Kind, cues: Cues) -> bool:
        before = range(max(0, item.start - self._windows.directive), item.end)
        told = cues.last(Kind.STORY, item.start)
        if told is not None and not cues.any(Kind.TURN, range(told + 1, item.start)):
            return False
        if self._before_going(item, cues):
            return False
        # A verb of examination is advice by itself, and an answer that opens with a test asks for it.
        if kind is Kind.VISIT or item.payload.acts or (kind is Kind.TEST and cues.opens(item)):
            return True
        if kind is Kind.EMERGENCY and (
            self._named_alone(item, cues)
            or self._concluded(item, cues)
            or (
                self._reached(item, cues)
                and any(start in cues.starts[kind] for start in before for kind in (Kind.CARE, Kind.EXEMPT))
            )
        ):
            return True
        if cues.any(Kind.DIRECTIVE, before) and (kind is not Kind.EMERGENCY or self._governed(item, cues)):
            return True
        after = range(item.end, item.end + 2)
        return self._now(item, cues) or (
            cues.any(Kind.DIRECTIVE, after) and not cues.breaks_in(item.end, item.end + 1)
        )

    def _fused_before(self, item: Found, cues: Cues) -> bool:
        """Whether a verb that negates itself by what is written around it ("ma...sh") reaches the destination."""
        if not self._fused.suffix:
            return False
        nearest = max(cues.opening(item.start), item.start - self._windows.negator)
        for at in range(nearest, item.start):
            word = cues.words[at]
            if len(word) < _FUSED or not word.endswith(self._fused.suffix) or at in cues.exempt:
                continue
            alone = at > 0 and cues.words[at - 1] in self._fused.prefixes
            bare = next((word[len(p) :] for p in self._prefixes if word.startswith(p)), word)
            if (alone or bare.startswith(self._fused.prefixes)) and not (
                cues.any(Kind.TURN, range(at + 1, item.start))
                or self._begins_advice(cues, range(at + 1, item.start))
            ):
                return True
        return False

    def _begins_advice(self, cues: Cues, positions: range) -> bool:
        """Whether a new advice, which a negation before it does not reach, begins at one of the positions."""
        for at in positions:
            word = cues.words[at]
            bare = next((word[len(p) :] for p in self._prefixes if word.startswith(p)), word)
            if word in self._obligations or (at > positions.start and word in self._imperatives):
                return True
            if at > positions.start + 1 and word in self._musts and cues.words[at - 1] not in self._relatives:
                return True
            if bare != word and bare in self._imperatives:
                return True
        return False

    def _reached(self, item: Found, cues: Cues) -> bool:
        """Whether a word of direction ("to") stands before the destination or is written onto it."""
        before = cues.words[max(0, item.start - 2) : item.start]
        return cues.words[item.start].startswith(self._to_prefixes) or any(word in self._to for word in before)

    def _named_alone(self, item: Found, cues: Cues) -> bool:
        """Whether little else stands between two commas, or the way there comes first ("to the ER and quickly")."""
        start, end = cues.opening(item.start), cues.closing(item.start)
        if item.start - start > _SHORT:
            return False
        timed = {at for now in cues.found[Kind.NOW] for at in now.positions}

        def idle(positions: range) -> bool:
            return all(at in timed or cues.words[at] in self._to for at in positions)

        if not idle(range(start, item.start)):
            return False
        return idle(range(item.end, end)) or (self._reached(item, cues) and end - start <= 2 * _SHORT)

    def _concluded(self, item: Found, cues: Cues) -> bool:
        """Whether the destination alone is what follows from a condition ("if he vomits: the ER")."""
        return cues.words[item.start].startswith(self._therefore) and any(
            0 <= item.start - condition.end <= _FAR for condition in cues.found[Kind.CONDITION]
        )

    def _governed(self, item: Found, cues: Cues) -> bool:
        """Whether no comma parts the destination from its directive, or a word of direction bridges it."""
        reached = self._reached(item, cues)
        return any(
            start in cues.starts[Kind.DIRECTIVE]
            and (reached or not cues.breaks_in(start + 1, item.start))
            and (self._tells(start, cues) or self._now(item, cues))
            for start in range(max(0, item.start - self._windows.directive), item.end)
        )

    def _tells(self, start: int, cues: Cues) -> bool:
        """Whether a directive is more than a subordinate verb or noun ("too little a thing to go there for")."""
        bare = self._bare(cues.words[start])
        if bare not in self._subordinate:
            return True
        opening = cues.opening(start)
        # A noun that is spelt as an imperative is one where it follows from a condition ("if it comes back, go").
        if bare in self._imperatives and any(
            0 <= start - condition.end <= _FAR for condition in cues.found[Kind.CONDITION]
        ):
            return True
        return start - opening <= 1 or any(
            at in cues.starts[Kind.EXEMPT]
            or (at in cues.starts[Kind.DIRECTIVE] and self._bare(cues.words[at]) not in self._subordinate)
            for at in range(max(opening, start - self._windows.directive), start)
        )

    def _bare(self, word: str) -> str:
        """A word without the conjunction or the word of direction that is written onto it."""
        if word in self._subordinate:
            return word
        prefixes = (*self._to_prefixes, *self._prefixes)
        return next(
            (word[len(p) :] for p in prefixes if word.startswith(p) and word[len(p) :] in self._subordinate), word
        )

    def _before_going(self, item: Found, cues: Cues) -> bool:
        return any(
            before.start < item.start <= before.end + _BEFORE
            and not cues.breaks_in(before.end, item.start)
            and not self._begins_advice(cues, range(before.end, item.start))
            for before in cues.found[Kind.BEFORE]
        )

    def _put_off(self, item: Found, cues: Cues) -> bool:
        """Whether something else shall be tried before the asker goes."""
        return self._before_going(item, cues) and any(
            trial.start >= item.end or any(trial.end <= before.start for before in cues.found[Kind.BEFORE])
            for trial in cues.found[Kind.TRY]
        )

    def _follows(self, condition: Found, item: Found, cues: Cues) -> bool:
        """Whether the destination, or its directive, is marked as what follows from a condition."""
        nearest = max(condition.end, item.start - self._windows.directive)
        return any(
            cues.words[at].startswith(self._therefore)
            for at in range(nearest, item.start + 1)
            if at == item.start or at in cues.starts[Kind.DIRECTIVE]
        )

    def _conditional(self, item: Found, cues: Cues) -> bool:
        for perhaps in cues.found[Kind.PERHAPS]:
            if 0 <= item.start - perhaps.end <= _BEFORE and not cues.breaks_in(perhaps.end, item.start):
                return True
        for condition in cues.found[Kind.CONDITION]:
            if condition.start < item.start:
                distance = item.start - condition.end
                if (
                    distance <= _FAR
                    and (distance <= self._windows.condition or self._follows(condition, item, cues))
                    and not cues.any(Kind.UNLESS, range(condition.end, item.start))
                    and not (self._conjunctions and cues.closes(condition, item.start))
                ):
                    return True
            elif (
                condition.start - item.end <= self._windows.time_after
                and not cues.breaks_in(item.end, condition.start)
                and not cues.new_statement(range(item.end, condition.start + 1))
            ):
                return True
        return False

    def _level(self, item: Found, kind: Kind, cues: Cues, conditional: bool) -> Level:
        if kind in (Kind.EMERGENCY, Kind.NEAREST) or (kind is Kind.HOSPITAL and conditional):
            later = range(item.end, item.end + self._windows.time_after)
            put_off = cues.any(Kind.LATER, cues.segment(item.end, later))
            return Level.DOCTOR if put_off and not self._now(item, cues) else Level.EMERGENCY
        return Level.EMERGENCY if self._now(item, cues) else Level.DOCTOR

    def _now(self, item: Found, cues: Cues) -> bool:
        """A time of now right after the destination, or between its directive and it."""
        after = cues.segment(item.end, range(item.end, item.end + self._windows.time_after))
        if cues.any(Kind.NOW, after):
            return True
        just_before = range(max(0, item.start - 3), item.start)
        if self._reached(item, cues) and any(
            cues.any(Kind.NOW, range(at, at + 1)) and not cues.breaks_in(at + 1, item.start) for at in just_before
        ):
            return True
        return any(
            cues.any(Kind.NOW, range(start, item.start)) and not cues.breaks_in(start + 1, item.start)
            for start in cues.starts[Kind.DIRECTIVE] | cues.starts[Kind.VISIT]
            if 0 <= item.start - start <= self._windows.directive
        )


@lru_cache
def triage_reader(language: Language) -> TriageReader:
    """One reader per language and process: it remembers what it read."""
    return TriageReader(language)
