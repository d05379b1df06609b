"""Whether an answer begins by saying yes or no."""

from __future__ import annotations

from functools import lru_cache

from ...languages import Language
from ...languages.text import Profile, words
from .lexicon import safety_lexicon
from .sentences import sentences

_LONGEST = 3


class VerdictReader:
    """Knows one language's words for yes and no."""

    def __init__(self, language: Language) -> None:
        rules = safety_lexicon(language).rules

        def phrases(items: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
            return frozenset(tuple(words(item, Profile.METRIC, language)) for item in items)

        self._language = language
        self._greetings = frozenset(word for item in phrases(rules.courtesies) for word in item)
        sides = (rules.affirmations, rules.refutations)
        self._open = dict[tuple[str, ...], bool]()
        self._alone = dict[tuple[str, ...], bool]()
        for yes, items, alone in zip((True, False), sides, rules.verdicts_alone, strict=True):
            self._open |= dict.fromkeys(phrases(items), yes)
            self._alone |= dict.fromkeys(phrases(alone), yes)
        self.read = lru_cache(maxsize=1 << 14)(self._read)

    def agrees(self, text: str) -> bool:
        """Whether the very first word is a yes, alone or not."""
        first = next((clause.words[:1] for clause in sentences(text, self._language) if clause.words), ())
        return self._open.get(first, False) or self._alone.get(first, False)

    def _read(self, text: str) -> bool | None:
        """True for yes and False for no, as the first words after a greeting say; None where they say neither."""
        for clause in sentences(text, self._language):
            for at in range(len(clause.words)):
                for width in range(_LONGEST, 0, -1):
                    phrase = clause.words[at : at + width]
                    if phrase in self._open:
                        return self._open[phrase]
                    ends = at + width >= len(clause.words) or at + width in clause.breaks
                    if ends and phrase in self._alone:
                        return self._alone[phrase]
                if clause.words[at] not in self._greetings:
                    return None
        return None
