"""What an answer tells the asker to do: the level of its actions, and which are conditional or negated.

An action is a destination (hospital, doctor, test) that a directive or a time of now points to. An emergency
department or ambulance is one where the sentence says to go or to call: by a verb or an obligation that governs it,
by a time of now, or by naming the way there alone ("to the emergency department!"). Urgent words without a
destination are none, and neither is a story of what others did or a description of the place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from ...languages import Language
from ...languages.clauses import Clause
from ...languages.phrases import Found, Patterns
from ...languages.text import Profile, words
from .cues import DESTINATIONS, Cues
from .levels import Action, Level, Reading, Standing
from .lexicon import Kind, safety_lexicon
from .sentences import sentences
from .standings import Standings

_CUES = frozenset(
    {
        Kind.CONDITION,
        Kind.CONCESSION,
        Kind.UNLESS,
        Kind.TURN,
        Kind.STORY,
        Kind.BEFORE,
        Kind.TRY,
        Kind.HASTE,
        Kind.UNTIL,
        Kind.THEN,
    }
)
_TELLING = frozenset({*DESTINATIONS, Kind.REASSURANCE})


class TriageReader:
    """Reads answers with one language's lexicon."""

    def __init__(self, language: Language) -> None:
        lexicon = safety_lexicon(language)
        self._language = language
        self._prefixes = lexicon.rules.clitics.cue_prefixes
        self._conjunctions = frozenset(lexicon.rules.conjunctions)
        self._unjoined = frozenset(
            word for item in lexicon.rules.unjoined for word in words(item, Profile.METRIC, language)
        )
        self._standings = Standings(language)
        self._attributes, self._subjects, self._negating = (
            frozenset(word for item in group for word in words(item, Profile.METRIC, language))
            for group in (lexicon.rules.attributes, lexicon.rules.subjects, lexicon.rules.negating)
        )
        self._definite = lexicon.rules.definite
        self._patterns = Patterns(lexicon.rules.clitics, language)
        for entry in lexicon.entries:
            for phrase in entry.phrases:
                self._patterns.add(phrase, entry, cue=entry.kind in _CUES)
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def _read(self, text: str) -> Reading:
        actions: dict[Standing, set[Level]] = defaultdict(set)
        reassuring = False
        for _, cues in self._telling(text):
            for action in self._standings.actions(cues):
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
        for clause, cues in self._telling(text):
            for action in self._standings.actions(cues):
                places = tuple(clause.offset + at for at in action.positions)
                found.append(replace(action, positions=places))
        return sorted(found, key=lambda action: action.positions)

    def reassurances(self, text: str) -> list[tuple[int, ...]]:
        """The places of every phrase that reassures."""
        found = []
        for clause, cues in self._telling(text):
            found += [
                tuple(clause.offset + at for at in item.positions)
                for item in cues.found[Kind.REASSURANCE]
                if self._calms(item, cues)
            ]
        return sorted(set(found))

    def _telling(self, text: str) -> Iterator[tuple[Clause, Cues]]:
        """The clauses that name a destination or reassure, as few do."""
        for clause in sentences(text, self._language):
            found = list(self._patterns.find(clause))
            if any(item.payload.kind in _TELLING for item in found):
                yield clause, Cues(clause, found, self._prefixes, self._conjunctions, self._unjoined)

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


@lru_cache
def triage_reader(language: Language) -> TriageReader:
    """One reader per language and process: it remembers what it read."""
    return TriageReader(language)
