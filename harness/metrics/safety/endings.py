"""How a text ends: whether it stops before it is finished."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from ...languages import Language, Part
from ...languages.clitics import bare_forms
from ...languages.text import Profile, normalise, words, words_of_each
from .danger_rules import dangers
from .lexicon import safety_lexicon

ENDING = 40
"""Characters that show how a text ends."""
_OPEN_END = re.compile(r"[:;\u061B(\[\u00AB\-\u2013\u2014/]\s*$")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_COMMA_END = re.compile(r"[,\u060C]\s*$")
_SENTENCE_END, _COMMA, _ITEM_WORDS = re.compile(r"[.!?\u061F\n]+"), re.compile(r"[,\u060C]"), 4
_FEWEST, _SHORTEST = 4, 3


class Endings:
    """Knows one language's words that must go on, and the words that a last one may be the beginning of."""

    def __init__(self, language: Language) -> None:
        rules = safety_lexicon(language).rules
        self._language, self._definite = language, rules.definite
        self._dangling = frozenset(tuple(words(item, Profile.METRIC, language)) for item in rules.dangling)
        self._forms = bare_forms(rules.clitics, language)
        spoken = [" ".join(entry.phrases).replace("|", " ") for entry in safety_lexicon(language).entries]
        listed = [
            *rules.function_words,
            *rules.courtesies,
            *(word for group in rules.families.values() for word in group),
        ]
        if rules.foreign:
            listed += rules.foreign.words
        if language.knows(Part.DANGERS):
            known = dangers(language)[0]
            listed += [*known.generic, *known.wishes, *known.names]
            listed += [word for group in known.topics.values() for word in group]
            listed += [word for subject in known.subjects.values() for word in (*subject.words, *subject.hints)]
            spoken += [" ".join(group).replace("|", " ") for group in known.groups.values()]
        found = (word for text in words_of_each([*spoken, *listed], language) for word in text)
        self._known = sorted({word for word in found if len(word) >= _SHORTEST and not word.isdigit()})
        self._every = frozenset(self._known)
        self._suffixes = frozenset((*rules.stem_suffixes, *rules.clitics.suffixes))

    def cut(self, text: str, tokens: Sequence[str]) -> bool:
        """Whether a text with these words stops in mid-sentence."""
        if not tokens:
            return False
        last = normalise(text[-ENDING:], Profile.SURFACE, self._language)
        if _OPEN_END.search(last) or _listing(text) or text.count("(") > text.count(")"):
            return True
        if last.endswith((".", "!", "?", "\u061f", ")")):
            return False
        return any(tuple(tokens[-width:]) in self._dangling for width in (1, 2)) or self._broken(tokens)

    def _broken(self, tokens: Sequence[str]) -> bool:
        """Whether the last word is the beginning of a known one, and is itself no word that is known."""
        word = tokens[-1]
        if len(tokens) < _FEWEST or len(word) < _SHORTEST or not word.isalpha() or word in tokens[:-1]:
            return False
        forms = self._forms(word)
        if not self._every.isdisjoint(forms):
            return False
        bare = word.removeprefix(self._definite)
        return self._begins(word) or (len(bare) >= _SHORTEST and self._begins(bare))

    def _begins(self, form: str) -> bool:
        """Whether a known word goes on where the form stops, and not with an ending alone."""
        at = bisect_left(self._known, form)
        longer = []
        while at < len(self._known) and self._known[at].startswith(form):
            longer.append(self._known[at].removeprefix(form))
            at += 1
        return bool(longer) and not any(rest in self._suffixes for rest in longer)


def _listing(text: str) -> bool:
    """Whether the text ends with a comma after the second or a later short item of a sentence."""
    # Marks of direction are no text: nothing ends with one.
    text = _INVISIBLE.sub("", text)
    if not _COMMA_END.search(text[-ENDING:]):
        return False
    last = _SENTENCE_END.split(text.rstrip())[-1]
    items = _COMMA.split(last)
    return len(items) > 2 and not items[-1].strip() and 0 < len(items[-2].split()) <= _ITEM_WORDS


@lru_cache
def endings(language: Language) -> Endings:
    """One reader per language and process."""
    return Endings(language)
