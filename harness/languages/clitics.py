"""What a word carries around a lexicon's word, and what it is without."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from ..core.settings import Record
from . import Language
from .text import Profile, words


class Clitics(Record):
    """What a complaint's word may carry around a lexicon's word; ``particles`` carry only ``cue_prefixes``.

    ``suffixes_of_long_words`` need three letters before them: after two they make other words ("fish", "poison").
    """

    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    suffixes_of_long_words: tuple[str, ...]
    cue_prefixes: tuple[str, ...]
    particles: tuple[str, ...]


def without_prefix(word: str, prefixes: tuple[str, ...]) -> list[str]:
    """What a word is behind each of the prefixes that it begins with; two letters at least."""
    # Most words begin with none.
    if not word.startswith(prefixes):
        return []
    known, longest = _by_length(prefixes)
    return [word[end:] for end in range(1, min(longest, len(word) - 2) + 1) if word[:end] in known]


@cache
def _by_length(prefixes: tuple[str, ...]) -> tuple[frozenset[str], int]:
    """The prefixes to look a word's beginning up in, and the length of the longest."""
    return frozenset(prefixes), max(map(len, prefixes), default=0)


@cache
def bare_forms(clitics: Clitics, language: Language) -> Callable[[str], tuple[str, ...]]:
    """What a word is without the clitics around it; one memory for all patterns of a language."""
    particles = frozenset(word for item in clitics.particles for word in words(item, Profile.METRIC, language))
    before_suffix = tuple(language.before_suffix.items())
    suffixes = tuple((suffix, 3 if suffix in clitics.suffixes_of_long_words else 2) for suffix in clitics.suffixes)
    ends, before_words, before_cues = clitics.suffixes, clitics.prefixes, clitics.cue_prefixes

    @lru_cache(maxsize=1 << 18)
    def forms_of(word: str) -> tuple[str, ...]:
        bases = {word, *without_prefix(word, before_words)}
        forms = set(bases)
        for base in bases:
            for suffix, shortest in suffixes if base.endswith(ends) else ():
                if base.endswith(suffix) and len(base) - len(suffix) >= shortest:
                    stem = base[: -len(suffix)]
                    forms.add(stem)
                    for written, alone in before_suffix:
                        if stem.endswith(written):
                            forms.add(stem.removesuffix(written) + alone)
        # A tuple of texts is nothing that the collector of garbage has to look at.
        if particles.isdisjoint(forms):
            return tuple(forms)
        conjoined = {word, *without_prefix(word, before_cues)}
        return tuple([form for form in forms if form not in particles or form in conjoined])

    return forms_of
