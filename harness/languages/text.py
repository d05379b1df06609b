"""Normalisation of text where it is compared; stored text is never changed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from . import Language


class Profile(StrEnum):
    """``surface`` removes what is invisible; ``metric`` also unifies spelling variants and drops punctuation."""

    SURFACE = "surface"
    METRIC = "metric"


_WORD = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W_]+")
_UNITS = 1 << 16


@cache
def _table(profile: Profile, language: Language) -> npt.NDArray[np.uint16]:
    """What each UTF-16 unit becomes, 0 for nothing; halves of surrogate pairs stay."""
    rules = language.normalisation
    remove = re.compile(rules.remove)
    replacements = rules.surface | (rules.metric if profile is Profile.METRIC else {})
    table = np.arange(_UNITS, dtype=np.uint16)
    for number in (*range(0xD800), *range(0xE000, _UNITS)):
        character = chr(number)
        new = "" if remove.fullmatch(character) else replacements.get(character, character)
        if profile is Profile.METRIC:
            # Of the lower case of İ, the dot above is left out.
            new = new.lower()[:1]
            new = new if new.isalnum() or not new else " "
        table[number] = ord(new) if new else 0
    return table


def unit_ranges(profile: Profile, language: Language) -> list[list[int]]:
    """The table of a normalisation for another program: ``[start, end, value, step]`` for units that change, each
    unit from ``start`` to ``end`` becoming ``value + step * (unit - start)``; 0 is nothing."""
    table = _table(profile, language).astype(np.int64)
    units = np.arange(_UNITS)
    found: list[list[int]] = []
    for unit in units[table != units].tolist():
        value = int(table[unit])
        last = found[-1] if found and found[-1][1] == unit - 1 else None
        if last is not None and last[0] == last[1] and value - last[2] in (0, 1):
            last[1], last[3] = unit, value - last[2]
        elif last is not None and value == last[2] + last[3] * (unit - last[0]):
            last[1] = unit
        else:
            found.append([unit, unit, value, 0])
    return found


def _unify(text: str, profile: Profile, language: Language) -> str:
    """Text after NFKC, removals and replacements; half a surrogate pair, which no file can store, becomes "?".

    One look-up in a table is several times as fast as regular expressions and replacements one after the other.
    """
    units = np.frombuffer(unicodedata.normalize("NFKC", text).encode("utf-16-le", "replace"), np.uint16)
    units = _table(profile, language)[units]
    unified: str = units[units != 0].tobytes().decode("utf-16-le")
    return unified


def normalise(text: str, profile: Profile, language: Language) -> str:
    """Text as it is compared: NFKC, no marks or tatweel, ASCII digits; for ``metric`` unified letters, lower case,
    no punctuation. Runs of white space become one space."""
    pieces = (
        words(text, profile, language) if profile is Profile.METRIC else _unify(text, profile, language).split()
    )
    return " ".join(pieces)


def words(text: str, profile: Profile, language: Language) -> list[str]:
    """Words of the normalised text. Marks are removed first: ``\\w`` would break words at them."""
    if profile is Profile.SURFACE:
        return _WORD.findall(_unify(text, profile, language))
    return apart(text, language).split()


def apart(text: str, language: Language) -> str:
    """The words of the text normalised for ``metric``, with white space between."""
    text = _unify(text, Profile.METRIC, language)
    # What the table does not reach, such as an emoji, takes two units and may still be no letter.
    return text if len(text.encode("utf-16-le")) == 2 * len(text) else " ".join(_LETTERS.findall(text))


BETWEEN = "\ua4d2"
"""A letter that hardly any text has, as a mark between two."""


def words_of_each(items: Iterable[str], language: Language) -> list[list[str]]:
    """``words`` of each of the items in the profile ``metric``, by one normalisation, which costs by the call."""
    items = list(items)
    found: list[list[str]] = [[]]
    for word in words(f" {BETWEEN} ".join(items), Profile.METRIC, language):
        if word == BETWEEN:
            found.append([])
        else:
            found[-1].append(word)
    assert len(found) == max(1, len(items))
    return found[: len(items)]


def signature(profile: Profile, language: Language) -> str:
    """How the text was normalised, for a metric's signature."""
    return f"norm:{language.code}-{profile}-v{language.normalisation.version}"


def has_word(text: str, language: Language) -> bool:
    """Whether a text holds anything that can be compared: a letter or a digit that normalisation leaves.

    Space, punctuation, symbols, emoji, diacritics and tatweel alone are none. This decides what is ``empty``, and
    what every similarity scores 0.
    """
    if any(mark in text for mark in _PICTURE_MARKS):
        text = _PICTURE.sub("", text)
    return any(_stands(character, language) for character in text)


# Emoji that are written with a digit or a letter.
_PICTURE = re.compile("[0-9]\ufe0f?\u20e3|\u2139")
_PICTURE_MARKS = "\u20e3\u2139"
# Letters by Unicode that nobody sees: the fillers of Hangul.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


@lru_cache(maxsize=1 << 12)
def _stands(character: str, language: Language) -> bool:
    # Modifier letters, tatweel among them, change a letter and are none by themselves.
    if not character.isalnum() or character in _FILLERS or unicodedata.category(character) == "Lm":
        return False
    return bool(normalise(character, Profile.METRIC, language))
