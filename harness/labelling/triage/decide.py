"""From facts to a level: the most urgent discriminator decides, and what merely asks is information."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...severity import CLASS_OF_LEVEL, Severity
from .facts import Facts, Sign
from .scale import CONTEXT, Discriminator, Triage

INFORMATION = "information"
NOTHING_NOW = "nothing_now"
VAGUE = "vague"
_COMPLAINTS = frozenset({"sign", "symptom"})
_ALWAYS_MEANT = frozenset({"self_harm"})
"""What is never taken for a general question."""
_NOT_GENERAL = frozenset({"person", "acute", "sudden", "worse", "unbearable", "days_over_1", "first_time"})
"""What makes a complaint of a question: somebody who has it, or when."""
_SENTENCE = 4
"""Words from which a text about a person says something, though it is not understood."""
_BARE = 15
"""Words up to which two signs in the same words are one thing: a longer text tells a story."""


class Fired(NamedTuple):
    """A discriminator that holds, its level here, and the words that say so."""

    id: str
    level: int
    words: tuple[str, ...]
    confidence: float
    kind: str = "sign"


@dataclass(frozen=True)
class Decision:
    """The level of a complaint with all that fired, the most urgent first; ``level`` is None where nothing is.

    ``confidence`` is the probability of the level's class, ``information`` whether a general question is asked.
    """

    level: int | None
    fired: tuple[Fired, ...]
    confidence: float
    information: bool

    def as_json(self) -> str:
        """What fired as a JSON list of ``id``, ``level`` and ``words``; an empty text if nothing did."""
        if not self.fired:
            return ""
        # As json.dumps writes it, for less: every row of a dataset has one.
        items = []
        for each in self.fired:
            words = ", ".join(map(encode_basestring, each.words))
            items.append(f'{{"id": "{each.id}", "level": {each.level}, "words": [{words}]}}')
        return f"[{', '.join(items)}]"

    @property
    def severity(self) -> Severity | None:
        """The class of the level."""
        return None if self.level is None else CLASS_OF_LEVEL[self.level]


UNKNOWN = Decision(None, (), float("nan"), information=False)


class _Atom:
    """One part of a combination, read once: names, and what must be said of a sign of these names."""

    def __init__(self, text: str) -> None:
        self.wanted = not text.startswith("!")
        self.names = [
            (name, frozenset(s for s in said if s[0] != "-"), frozenset(s[1:] for s in said if s[0] == "-"))
            for name, *said in (each.split(":") for each in text.removeprefix("!").split("|"))
        ]

    def found(self, facts: Facts) -> tuple[str, ...] | None:
        """The words that make it hold, none for a context; None if it does not hold."""
        for name, said, unsaid in self.names:
            if name in facts.context:
                return ()
            for sign in facts.signs.get(name, ()):
                if said <= sign.said and not unsaid & sign.said:
                    return (sign.words,)
        return None


class Decider:
    """Applies the scale of a language."""

    def __init__(self, triage: Triage) -> None:
        self._scale = triage
        self._sure = triage.confidence
        # By level: 1 for its class, and how the rest is shared out.
        self._own, self._others = np.full((6, 3), np.nan), np.full((6, 3), np.nan)
        for level, severity in CLASS_OF_LEVEL.items():
            self._own[level], self._others[level] = np.eye(3)[severity.rank], 0
            for other, share in triage.confidence.rest[str(severity)].items():
                self._others[level][Severity(other).rank] = share
        self._sure_of_kind = {
            kind: getattr(triage.confidence, kind) for kind in ("sign", "symptom", "illness", "everyday")
        }
        self._by_id = {each.id: each for each in triage.discriminators}
        # By the first atom's names, so that only combinations are tried whose first part is there.
        self._combinations: dict[str, list[tuple[Discriminator, list[_Atom], frozenset[str]]]] = defaultdict(list)
        for each in triage.discriminators:
            for text in each.combinations:
                atoms = [_Atom(part) for part in text.split()]
                # Of the last that must be there one of these names must be: most combinations fail by that.
                last = [atom for atom in atoms if atom.wanted][-1:] or atoms[:1]
                needed = frozenset(name for name, *_ in last[0].names)
                for name, *_ in atoms[0].names:
                    self._combinations[name].append((each, atoms, needed))
        self._first_contexts = [name for name in CONTEXT if name in self._combinations]
        self._unless = {
            each.id: [_Atom(part) for part in each.unless.split()] for each in triage.discriminators if each.unless
        }
        self._when = {
            band.when: [_Atom(part) for part in band.when.split()]
            for vital in triage.vitals
            for band in (*vital.bands, *vital.second)
        }

    def decide(self, facts: Facts) -> Decision:
        """The level of a complaint."""
        values = self._values(facts) if facts.values else []
        fired = [*values, *self._combined(facts), *self._single(facts)] if facts.signs or facts.context else values
        asks = "question" in facts.context or facts.knowledge
        if asks and (facts.hypothetical or self._general(facts, fired)):
            words = tuple(dict.fromkeys(word for each in fired for word in each.words))
            sure = self._sure.information if fired or facts.knowledge else self._sure.vague
            kept = [each for each in fired if each.level == 5]
            told = Fired(INFORMATION, 5, words, sure, "everyday")
            return _decision([told, *kept], self._sure.agreement, information=True)
        if fired:
            return _decision(fired, self._sure.agreement, information=asks and facts.knowledge)
        vague = Fired(VAGUE, self._by_id[VAGUE].level, (), self._sure.vague, "symptom")
        if asks and facts.knowledge and "person" not in facts.context:
            return _decision([Fired(INFORMATION, 5, (), self._sure.information, "everyday")], 0.0, information=True)
        if facts.past or facts.symptomless:
            return _decision([Fired(NOTHING_NOW, 5, (), self._sure.everyday, "everyday")], 0.0, information=asks)
        if "person" in facts.context and (facts.complains or facts.topic or facts.words >= _SENTENCE):
            return _decision([vague], 0.0, information=False)
        if facts.complains and not asks:
            return _decision([vague], 0.0, information=False)
        if asks and (facts.topic or facts.complains or facts.signs):
            return _decision([Fired(INFORMATION, 5, (), self._sure.vague, "everyday")], 0.0, information=True)
        return UNKNOWN

    def _general(self, facts: Facts, fired: list[Fired]) -> bool:
        """Whether a question is about no person, time or value, and names at most one thing."""
        if _NOT_GENERAL & facts.context or _NOT_GENERAL & facts.signs.keys() or facts.values:
            return False
        if any(each.id in _ALWAYS_MEANT for each in fired):
            return False
        complaints = [each for each in fired if each.kind in _COMPLAINTS and each.level < 5]
        named = _things(complaints) if facts.words <= _BARE else len({each.id for each in complaints})
        return bool(fired or facts.topic) and (facts.knowledge or named <= 1)

    def _values(self, facts: Facts) -> list[Fired]:
        found = []
        for measured, words in facts.values:
            levels = [
                band.level
                for band in measured.bands()
                if all((atom.found(facts) is not None) == atom.wanted for atom in self._when[band.when])
            ]
            if levels:
                found.append(Fired(measured.vital.id, min(levels), (words,), self._sure.value))
        return found

    def _combined(self, facts: Facts) -> list[Fired]:
        found: list[Fired] = []
        names = [name for name in facts.signs if name in self._combinations]
        names += [name for name in self._first_contexts if name in facts.context]
        if not names:
            return found
        present = facts.context.union(facts.signs)
        for name in names:
            for discriminator, atoms, needed in self._combinations[name]:
                if needed.isdisjoint(present):
                    continue
                words: list[str] = []
                for atom in atoms:
                    heard = atom.found(facts)
                    if (heard is not None) != atom.wanted:
                        break
                    words += heard or ()
                else:
                    sure = self._sure.combination
                    found.append(Fired(discriminator.id, discriminator.level, tuple(words), sure))
        return found

    def _single(self, facts: Facts) -> list[Fired]:
        found = []
        asks = "question" in facts.context
        here = [
            (sign, sign.discriminator.kind)
            for signs in facts.signs.values()
            for sign in signs
            if sign.discriminator.kind != "condition"
        ]
        for sign, kind in here:
            one, said = sign.discriminator, sign.said
            if one.id in self._unless and self._excepted(sign, facts):
                continue
            if kind == "illness" and asks and not any(other in _COMPLAINTS for _, other in here):
                level = 5
            else:
                level = self._level(sign) if said else one.level
            sure = self._sure_of_kind[kind]
            if "slight" in said and "severe" in said and kind in _COMPLAINTS:
                sure -= self._sure.doubt
            found.append(Fired(one.id, level, (sign.words,), sure, kind))
        return found

    def _excepted(self, sign: Sign, facts: Facts) -> bool:
        atoms = self._unless.get(sign.discriminator.id)
        return atoms is not None and all((atom.found(facts) is not None) == atom.wanted for atom in atoms)

    def _level(self, sign: Sign) -> int:
        """The level of a sign, moved by what is said of it."""
        one, said = sign.discriminator, sign.said
        if one.chronic is not None and "chronic" in said and "worse" not in said:
            return one.chronic
        if one.slight is not None and "slight" in said and "severe" not in said:
            return one.slight
        if one.severe is not None and "severe" in said and "chronic" not in said:
            return one.severe
        if one.acute is not None and ("acute" in said or "worse" in said):
            return one.acute
        return one.level

    def probabilities(self, decisions: Sequence[Decision]) -> npt.NDArray[np.float64]:
        """Probabilities of shape (n, 3) by rank: the class of the level has the confidence, the others the rest.

        NaN where a decision has no level.
        """
        return self.shares([each.level or 0 for each in decisions], [each.confidence for each in decisions])

    def shares(self, levels: Sequence[int], confidences: Sequence[float]) -> npt.NDArray[np.float64]:
        """``probabilities`` by the levels (n,), 0 for none, and the confidences (n,) of decisions."""
        rows, sure = np.array(levels, dtype=np.intp), np.array(confidences, dtype=np.float64)[:, None]
        probabilities: npt.NDArray[np.float64] = self._own[rows] * sure + self._others[rows] * (1 - sure)
        return probabilities


def _things(fired: Sequence[Fired]) -> int:
    """How many different things are named: one word may fire several discriminators, and is one thing."""
    things: list[set[str]] = []
    for each in fired:
        said = {word for words in each.words for word in words.split()}
        things = [said.union(*(one for one in things if one & said)), *(one for one in things if not one & said)]
    return len(things)


def _decision(fired: list[Fired], agreement: float, *, information: bool) -> Decision:
    best: dict[str, Fired] = {}
    for each in fired:
        if each.id not in best or (each.level, -each.confidence) < (best[each.id].level, -best[each.id].confidence):
            best[each.id] = each
    ordered = sorted(best.values(), key=lambda each: (each.level, -each.confidence))
    level = ordered[0].level
    deciding = [each for each in ordered if each.level == level]
    confidence = min(0.98, deciding[0].confidence + agreement * (len(deciding) > 1))
    return Decision(level, tuple(ordered), confidence, information)
