"""Names of doctors in texts: what follows a title and can be a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from ..languages import Language, codes, language
from ..languages.personal import keys, personal_words, spelt, stems
from ..languages.text import Profile, normalise

_MOST = 4
"""Words of a name."""
_WORD = re.compile(r"[^\W\d_](?:[\w'\u2019-]|[\u064B-\u0652\u0640])*")
_GAP = re.compile(r"[ \t]+|\.[ \t]*(?=[A-Z][a-z])")
_LINE_END = re.compile(r"[\s.!,\u060C]*(?:\n|$)")


def doctors(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each name of a doctor, without the title."""
    plain = text.lower()
    for each in _tongues():
        if not any(part in plain for part in each.stems):
            continue
        for title in each.title.finditer(text):
            if end := each.name_end(
                text, title.end(), alone=title.lastgroup == "short" and _begins_line(text, title)
            ):
                yield title.end(), end


def _begins_line(text: str, title: re.Match[str]) -> bool:
    return not text[: title.start()].rpartition("\n")[2].strip()


@dataclass(frozen=True)
class _Tongue:
    """The titles of one language, compiled, and the words of its ``PersonalWords`` as they are compared.

    ``stems``: in lower case; a text without one has no title.
    """

    tongue: Language
    title: re.Pattern[str]
    stems: tuple[str, ...]
    capitals: bool
    given: frozenset[str]
    joiners: frozenset[str]
    families: tuple[str, ...]
    foreign: frozenset[str]

    def name_end(self, text: str, start: int, *, alone: bool) -> int | None:
        """Where the name ends that begins at ``start``; None where there is none.

        Args:
            alone: whether the title begins a line, on which two or three more words are a signature.
        """
        words: list[re.Match[str]] = []
        at = start
        while len(words) < _MOST and (word := _WORD.match(text, at)):
            words.append(word)
            if not (gap := _GAP.match(text, word.end())):
                break
            at = gap.end()
        ends = [word.end() for word in words]
        if not words or self._key(words[0]) in self.foreign:
            return None
        if alone and not self.capitals and 2 <= len(words) < _MOST and _LINE_END.match(text, ends[-1]):
            return ends[-1]
        taken = 0
        while taken < len(words) and self._key(words[taken]) not in self.foreign:
            key = self._key(words[taken])
            if not taken and not self._is_given(words[taken]):
                return None
            if key in self.joiners and taken + 1 < len(words):
                taken += 2
            elif self._is_given(words[taken]):
                taken += 1
            else:
                taken += bool(self.families and key.startswith(self.families))
                break
        return ends[taken - 1] if taken else None

    def _is_given(self, word: re.Match[str]) -> bool:
        return self._key(word) in self.given or (self.capitals and word[0][:1].isupper() and not word[0].isupper())

    def _key(self, word: re.Match[str]) -> str:
        return normalise(word[0], Profile.METRIC, self.tongue)


@cache
def _tongues() -> list[_Tongue]:
    found = []
    for tongue in map(language, codes()):
        said = personal_words(tongue)
        if not said.titles and not said.short_titles:
            continue
        long, short = (_any_of(titles, tongue) for titles in (said.titles, said.short_titles))
        title = re.compile(rf"(?<!\w)(?:(?P<long>{long})|(?P<short>{short}))(?=[^\W\d_])", re.IGNORECASE)
        parts = {part for each in (*said.titles, *said.short_titles) for part in stems(each, tongue)}
        given, joiners, families, foreign = (
            keys(each, tongue) for each in (said.given_names, said.joiners, said.family_prefixes, said.not_names)
        )
        found.append(
            _Tongue(tongue, title, tuple(parts), said.capital_names, given, joiners, tuple(families), foreign)
        )
    return found


def _any_of(titles: tuple[str, ...], tongue: Language) -> str:
    """A regular expression of titles with the space after them, which only one that ends in a mark may lack."""
    spaced = (spelt(each, tongue) + (r"[ \t]+" if each[-1].isalnum() else r"[ \t]*") for each in titles)
    return "|".join(sorted(spaced, key=len, reverse=True)) or r"(?!)"
