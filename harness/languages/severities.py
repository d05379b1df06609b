"""How people write severities and levels of triage in a language, read from its ``severities.json``."""

from __future__ import annotations

from functools import cache
from typing import Literal

from ..core.files import read_json
from ..core.records import validated
from ..core.settings import Record
from . import Language, codes, language
from .text import Profile, words

FILE = "severities.json"
_LEAST = 2
"""Letters that are left of a word when an article or an ending is taken away."""


class SeverityWords(Record):
    """Names of the five levels and of the three classes.

    ``fillers`` are words that say nothing by themselves ("level"); ``scales`` say only what numbers beside them
    mean; every word may begin with one of ``prefixes`` (an article) and end with one of ``suffixes`` (a gender).
    ``nothing`` is what people write who skip an item.
    """

    levels: dict[Literal["1", "2", "3", "4", "5"], tuple[str, ...]] = {}
    classes: dict[Literal["critical", "neutral", "non_critical"], tuple[str, ...]] = {}
    fillers: tuple[str, ...] = ()
    scales: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()


@cache
def severity_words(language: Language) -> SeverityWords:
    """The names in a language: those of its file, and what its ``language.json`` calls the classes.

    Raises:
        UserError: its file is foreign.
    """
    path = language.folder / FILE
    found = SeverityWords()
    if path.is_file():
        found = validated(SeverityWords, read_json(path, "Mend the file"), str(path), "Mend the file")
    classes = {
        name: tuple(dict.fromkeys([spelling, *found.classes.get(name, ())]))
        for name, spelling in language.severity_names.items()
    }
    return found.model_copy(update={"classes": classes})


def severity_key(text: str, language: Language) -> str:
    """What two spellings of one severity have in common: no fillers, articles, genders, marks and case."""
    return _key(text, language, severity_words(language))


def says_nothing(text: str) -> bool:
    """Whether a label is none: empty, marks alone, or what people of any language write who skip an item."""
    for tongue in map(language, codes()):
        key = severity_key(text, tongue)
        if not key or key in {severity_key(each, tongue) for each in severity_words(tongue).nothing}:
            return True
    return False


def number_alone(text: str) -> int | None:
    """The number of a text that says nothing else, such as ``2`` or ``level 2``; None where its scale is named."""
    for tongue in map(language, codes()):
        key = severity_key(text, tongue)
        scales = {word for scale in severity_words(tongue).scales for word in _words(scale, tongue)}
        if key.isdecimal() and not scales & set(_words(text, tongue)):
            return int(key)
    return None


def named_severities(language: Language) -> dict[str, str]:
    """The name of a class, or the number of a level, by the key of each of its names; the first declared wins."""
    said = severity_words(language)
    found: dict[str, str] = {}
    for names in (said.classes, said.levels):
        for target, spellings in names.items():
            for spelling in spellings:
                found.setdefault(_key(spelling, language, said), target)
    return found


def _key(text: str, language: Language, said: SeverityWords) -> str:
    fillers = {
        _bare(word, said, language) for filler in (*said.fillers, *said.scales) for word in _words(filler, language)
    }
    bare = [_bare(word, said, language) for word in _words(text, language)]
    return " ".join([word for word in bare if word not in fillers] or bare)


def _words(text: str, language: Language) -> list[str]:
    return words(text, Profile.METRIC, language)


def _bare(word: str, said: SeverityWords, language: Language) -> str:
    for ending in said.prefixes:
        (prefix,) = _words(ending, language)
        if word.startswith(prefix) and len(word) > len(prefix) + _LEAST:
            word = word.removeprefix(prefix)
            break
    for ending in said.suffixes:
        (suffix,) = _words(ending, language)
        if word.endswith(suffix) and len(word) > len(suffix) + _LEAST:
            return word.removesuffix(suffix)
    return word
