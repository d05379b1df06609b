"""How the words of a clause stand to a destination: what points to it, turns it down, or makes it follow."""

from __future__ import annotations

from ...languages import Language
from ...languages.phrases import Found
from ...languages.text import Profile, words
from .cues import Cues
from .lexicon import Kind, safety_lexicon

FAR = 45
BEFORE = 6
_SHORT = 4
_FUSED = 5
_FORBIDDEN = 3


class Grammar:
    """Reads clauses with one language's words of direction, obligation and consequence."""

    def __init__(self, language: Language) -> None:
        rules = safety_lexicon(language).rules
        self.windows = rules.windows
        self._prefixes = rules.clitics.cue_prefixes
        self._fused = rules.negative_verb
        (
            self._imperatives,
            self._obligations,
            self._musts,
            self._relatives,
            self._subordinate,
            self._to,
            self._negating,
        ) = (
            frozenset(word for item in group for word in words(item, Profile.METRIC, language))
            for group in (
                rules.imperatives,
                rules.obligations,
                rules.bare_obligations,
                rules.relatives,
                rules.subordinate,
                rules.to,
                rules.negating,
            )
        )
        self._to_prefixes, self._therefore = rules.to_prefixes, rules.therefore

    def begins_advice(self, cues: Cues, positions: range) -> bool:
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

    def fused_before(self, item: Found, cues: Cues) -> bool:
        """Whether a verb that negates itself by what is written around it ("ma...sh") reaches the destination."""
        if not self._fused.suffix:
            return False
        nearest = max(cues.opening(item.start), item.start - self.windows.negator)
        for at in range(nearest, item.start):
            word = cues.words[at]
            if len(word) < _FUSED or not word.endswith(self._fused.suffix) or at in cues.exempt:
                continue
            alone = at > 0 and cues.words[at - 1] in self._fused.prefixes
            bare = next((word[len(p) :] for p in self._prefixes if word.startswith(p)), word)
            if (alone or bare.startswith(self._fused.prefixes)) and not (
                cues.any(Kind.TURN, range(at + 1, item.start))
                or self.begins_advice(cues, range(at + 1, item.start))
            ):
                return True
        return False

    def reached(self, item: Found, cues: Cues) -> bool:
        """Whether a word of direction ("to") stands before the destination or is written onto it."""
        before = cues.words[max(0, item.start - 2) : item.start]
        return cues.words[item.start].startswith(self._to_prefixes) or any(word in self._to for word in before)

    def named_alone(self, item: Found, cues: Cues) -> bool:
        """Whether little else stands between two commas, or the way there comes first ("to the ER and quickly")."""
        start, end = cues.opening(item.start), cues.closing(item.start)
        if item.start - start > _SHORT:
            return False
        timed = {at for now in cues.found[Kind.NOW] for at in now.positions}

        def idle(positions: range) -> bool:
            return all(at in timed or cues.words[at] in self._to for at in positions)

        if not idle(range(start, item.start)):
            return False
        return idle(range(item.end, end)) or (self.reached(item, cues) and end - start <= 2 * _SHORT)

    def concluded(self, item: Found, cues: Cues) -> bool:
        """Whether the destination alone is what follows from a condition ("if he vomits: the ER")."""
        return cues.words[item.start].startswith(self._therefore) and any(
            0 <= item.start - condition.end <= FAR for condition in cues.found[Kind.CONDITION]
        )

    def tells(self, start: int, cues: Cues) -> bool:
        """Whether a directive is more than a subordinate verb or noun ("too little a thing to go there for")."""
        bare = self._bare(cues.words[start])
        if bare not in self._subordinate:
            return True
        opening = cues.opening(start)
        # A noun that is spelt as an imperative is one where it follows from a condition ("if it comes back, go").
        if bare in self._imperatives and any(
            0 <= start - condition.end <= FAR for condition in cues.found[Kind.CONDITION]
        ):
            return True
        return start - opening <= 1 or any(
            at in cues.starts[Kind.EXEMPT]
            or (at in cues.starts[Kind.DIRECTIVE] and self._bare(cues.words[at]) not in self._subordinate)
            for at in range(max(opening, start - self.windows.directive), start)
        )

    def _bare(self, word: str) -> str:
        """A word without the conjunction or the word of direction that is written onto it."""
        if word in self._subordinate:
            return word
        prefixes = (*self._to_prefixes, *self._prefixes)
        return next(
            (word[len(p) :] for p in prefixes if word.startswith(p) and word[len(p) :] in self._subordinate), word
        )

    def before_going(self, item: Found, cues: Cues) -> bool:
        """Whether something is named that comes before the asker goes there.

        What must not be done before is none ("do not sleep before you have been there").
        """
        return any(
            before.start < item.start <= before.end + BEFORE
            and not self._forbidden(before, cues)
            and not cues.breaks_in(before.end, item.start)
            and not self.begins_advice(cues, range(before.end, item.start))
            for before in cues.found[Kind.BEFORE]
        )

    def _forbidden(self, before: Found, cues: Cues) -> bool:
        start = max(cues.opening(before.start), before.start - _FORBIDDEN)
        return any(
            word in self._negating
            or (self._fused.suffix and word.startswith(self._fused.prefixes) and word.endswith(self._fused.suffix))
            for word in cues.words[start : before.start]
        )

    def follows(self, condition: Found, item: Found, cues: Cues) -> bool:
        """Whether the destination, or its directive, is marked as what follows from a condition."""
        nearest = max(condition.end, item.start - self.windows.directive)
        return any(
            cues.words[at].startswith(self._therefore)
            for at in range(nearest, item.start + 1)
            if at == item.start or at in cues.starts[Kind.DIRECTIVE]
        )

    def now(self, item: Found, cues: Cues) -> bool:
        """A time of now right after the destination, or between its directive and it."""
        after = cues.segment(item.end, range(item.end, item.end + self.windows.time_after))
        if cues.any(Kind.NOW, after):
            return True
        just_before = range(max(0, item.start - 3), item.start)
        if self.reached(item, cues) and any(
            cues.any(Kind.NOW, range(at, at + 1)) and not cues.breaks_in(at + 1, item.start) for at in just_before
        ):
            return True
        return any(
            cues.any(Kind.NOW, range(start, item.start)) and not cues.breaks_in(start + 1, item.start)
            for start in cues.starts[Kind.DIRECTIVE] | cues.starts[Kind.VISIT]
            if 0 <= item.start - start <= self.windows.directive
        )
