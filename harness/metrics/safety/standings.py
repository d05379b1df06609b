"""Which destinations of a clause an answer sends to, and whether outright, on a condition, or not at all."""

from __future__ import annotations

from ...languages import Language
from ...languages.phrases import Found
from ...languages.text import Profile, words
from .cues import DESTINATIONS, Cues
from .grammar import BEFORE, FAR, Grammar
from .levels import Action, Level, Standing
from .lexicon import Kind, safety_lexicon

_HURRIED = 10
_PLACES = (Kind.EMERGENCY, Kind.HOSPITAL, Kind.NEAREST)


class Standings:
    """Reads clauses with one language's lexicon."""

    def __init__(self, language: Language) -> None:
        rules = safety_lexicon(language).rules
        self._grammar = Grammar(language)
        self._windows = rules.windows
        self._conjunctions = frozenset(rules.conjunctions)
        self._negating = frozenset(
            word for item in rules.negating for word in words(item, Profile.METRIC, language)
        )

    def actions(self, cues: Cues) -> list[Action]:
        """Every action of a clause, at its places among the clause's words."""
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

    def _negated(self, item: Found, cues: Cues, place: bool) -> bool:
        if place and any(
            item.start in whole.positions
            and not cues.breaks_in(whole.start + 1, item.start)
            and not self._grammar.begins_advice(cues, range(whole.start, item.start))
            for whole in cues.found[Kind.TALKED_OUT]
        ):
            return True
        for negator in (*cues.found[Kind.NEGATOR], *(cues.found[Kind.WIDE_NEGATOR] if place else ())):
            if negator.start <= item.start <= negator.end + self._windows.negator:
                between = range(negator.end, item.start)
                if (
                    not cues.any(Kind.TURN, between)
                    and not cues.breaks_in(negator.end, item.start)
                    and not self._grammar.begins_advice(cues, between)
                ):
                    return True
        if place and (self._put_off(item, cues) or self._grammar.fused_before(item, cues)):
            return True
        return any(
            item.end <= after.start <= item.end + self._windows.after_negator
            and not cues.breaks_in(item.end, after.start)
            and not cues.any_destination(range(item.end, after.start))
            and not cues.any_destination(
                cues.segment(after.end, range(after.end, after.end + self._windows.after_negator))
            )
            for after in cues.found[Kind.AFTER_NEGATOR]
        )

    def _directed(self, item: Found, kind: Kind, cues: Cues) -> bool:
        before = range(max(0, item.start - self._windows.directive), item.end)
        told = cues.last(Kind.STORY, item.start)
        if told is not None and not cues.any(Kind.TURN, range(told + 1, item.start)):
            after_comma = range(cues.opening(item.start), item.start)
            if after_comma.start <= told or not cues.any(Kind.DIRECTIVE, after_comma):
                return False
        if self._grammar.before_going(item, cues):
            return False
        # A verb of examination is advice by itself, and an answer that opens with a test asks for it.
        if kind is Kind.VISIT or item.payload.acts or (kind is Kind.TEST and cues.opens(item)):
            return True
        if kind is Kind.EMERGENCY and (
            self._grammar.named_alone(item, cues)
            or self._grammar.concluded(item, cues)
            or (
                self._grammar.reached(item, cues)
                and any(start in cues.starts[kind] for start in before for kind in (Kind.CARE, Kind.EXEMPT))
            )
            or (cues.opens(item) and cues.any(Kind.CONDITION, range(item.end, item.end + 3)))
        ):
            return True
        if cues.any(Kind.DIRECTIVE, before) and (kind is not Kind.EMERGENCY or self._governed(item, cues)):
            return True
        after = range(item.end, item.end + 2)
        return self._grammar.now(item, cues) or (
            cues.any(Kind.DIRECTIVE, after) and not cues.breaks_in(item.end, item.end + 1)
        )

    def _governed(self, item: Found, cues: Cues) -> bool:
        """Whether no comma parts the destination from its directive, or a word of direction bridges it."""
        reached = self._grammar.reached(item, cues)
        return any(
            start in cues.starts[Kind.DIRECTIVE]
            and (reached or not cues.breaks_in(start + 1, item.start))
            and (self._grammar.tells(start, cues) or self._grammar.now(item, cues))
            for start in range(max(0, item.start - self._windows.directive), item.end)
        )

    def _waited_for(self, item: Found, cues: Cues) -> bool:
        """Whether some days are to pass, with something tried, before the asker goes ("wait a week, then go")."""
        return any(
            trial.start <= until.start and until.end <= then.start < item.start
            for trial in cues.found[Kind.TRY]
            if cues.words[max(0, trial.start - 1)] not in self._negating
            for until in cues.found[Kind.UNTIL]
            for then in cues.found[Kind.THEN]
        )

    def _put_off(self, item: Found, cues: Cues) -> bool:
        """Whether something else shall be tried before the asker goes."""
        return self._grammar.before_going(item, cues) and any(
            trial.start >= item.end or any(trial.end <= before.start for before in cues.found[Kind.BEFORE])
            for trial in cues.found[Kind.TRY]
        )

    def _conditional(self, item: Found, cues: Cues) -> bool:
        for perhaps in cues.found[Kind.PERHAPS]:
            if 0 <= item.start - perhaps.end <= BEFORE and not cues.breaks_in(perhaps.end, item.start):
                return True
        for condition in cues.found[Kind.CONDITION]:
            if condition.start < item.start:
                distance = item.start - condition.end
                if (
                    distance <= FAR
                    and (distance <= self._windows.condition or self._grammar.follows(condition, item, cues))
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
            put_off = cues.any(Kind.LATER, cues.segment(item.end, later)) or self._waited_for(item, cues)
            return Level.DOCTOR if put_off and not self._grammar.now(item, cues) else Level.EMERGENCY
        hurried = kind is Kind.HOSPITAL and any(
            abs(haste.start - item.start) <= _HURRIED for haste in cues.found[Kind.HASTE]
        )
        return Level.EMERGENCY if hurried or self._grammar.now(item, cues) else Level.DOCTOR
