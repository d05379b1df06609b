"""How people name doctors and announce phone and ID numbers in a language, read from its ``personal.json``."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from itertools import product
from math import prod

from ..core.files import read_json
from ..core.records import validated
from ..core.settings import Record
from . import Language
from .text import Profile, normalise

FILE = "personal.json"
_STEM = 3


class Kind(StrEnum):
    """What of a text points to a person."""

    EMAIL = "email"
    LINK = "link"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    DOCTOR = "doctor"


class PersonalWords(Record):
    """What stands before numbers and names, and what is put in their place.

    A name follows one of ``titles`` or ``short_titles`` and begins with one of ``given_names``, or with a capital
    letter where ``capital_names``. More such words go on with it, and a word after one of ``joiners``; one that
    begins with one of ``family_prefixes`` ends it. After a short title on a line of its own every word is a name
    but ``not_names``.
    """

    titles: tuple[str, ...] = ()
    short_titles: tuple[str, ...] = ()
    given_names: tuple[str, ...] = ()
    joiners: tuple[str, ...] = ()
    family_prefixes: tuple[str, ...] = ()
    capital_names: bool = False
    not_names: tuple[str, ...] = ()
    phone_words: tuple[str, ...] = ()
    id_words: tuple[str, ...] = ()
    marks: dict[Kind, str] = {}


@cache
def personal_words(language: Language) -> PersonalWords:
    """The words of a language; none where it has no such file.

    Raises:
        UserError: its file is foreign.
    """
    path = language.folder / FILE
    if not path.is_file():
        return PersonalWords()
    return validated(PersonalWords, read_json(path, "Mend the file"), str(path), "Mend the file")


def mark_of(kind: Kind, language: Language) -> str:
    """What is put in the place of what is taken out of a text."""
    return personal_words(language).marks.get(kind, f"[{kind}]")


@cache
def _variants(language: Language) -> dict[str, str]:
    """The letters that the normalisation makes one, by each of them."""
    same: dict[str, str] = {}
    for one, plain in language.normalisation.metric.items():
        if len(one) == len(plain) == 1 and plain.isalpha():
            same[plain] = same.get(plain, plain) + one
    return same | {one: group for group in same.values() for one in group}


def spelt(phrase: str, language: Language) -> str:
    """A regular expression of a phrase in all spellings that the language's normalisation makes one."""

    def letter(sign: str) -> str:
        same = _variants(language).get(sign, sign)
        return f"[{re.escape(same)}]" if len(same) > 1 else re.escape(same)

    return r"\s+".join("".join(map(letter, word)) for word in phrase.split())


def stems(phrase: str, language: Language) -> set[str]:
    """Pieces of which every spelling of a phrase has one, in lower case; as few as there can be."""
    letters = [_variants(language).get(sign, sign) for sign in phrase.lower()]
    windows = [letters[place : place + _STEM] for place in range(max(1, len(letters) - _STEM + 1))]
    return {"".join(each) for each in product(*min(windows, key=lambda window: prod(map(len, window))))}


def keys(words: tuple[str, ...], language: Language) -> frozenset[str]:
    """Words as they are compared."""
    return frozenset(normalise(word, Profile.METRIC, language) for word in words)
