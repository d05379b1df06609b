"""Normalisation of text where it is compared; stored text is never changed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import cache

from .languages import language


class Profile(StrEnum):
    """``surface`` removes what is invisible; ``metric`` also unifies spelling variants and drops punctuation."""

    SURFACE = "surface"
    METRIC = "metric"


_PUNCTUATION = re.compile(r"[^\w\s]|_")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+")


@cache
def _steps(profile: Profile, code: str) -> tuple[Callable[[str], str], dict[int, str]]:
    rules = language(code).normalisation
    table = str.maketrans(rules.surface | (rules.metric if profile is Profile.METRIC else {}))
    remove = re.compile(rules.remove)
    return lambda text: remove.sub("", text), table


def normalise(text: str, profile: Profile = Profile.METRIC, code: str = "ar") -> str:
    """Text as it is compared: NFKC, no marks or tatweel, ASCII digits; for ``metric`` unified letters, lower case,
    no punctuation. Runs of white space become one space."""
    remove, table = _steps(profile, code)
    text = remove(unicodedata.normalize("NFKC", text)).translate(table)
    if profile is Profile.METRIC:
        text = _PUNCTUATION.sub(" ", text.lower())
    return _SPACE.sub(" ", text).strip()


def words(text: str, profile: Profile = Profile.METRIC, code: str = "ar") -> list[str]:
    """Words of the normalised text. Marks are removed first: ``\\w`` would break words at them."""
    return _WORD.findall(normalise(text, profile, code))


def signature(profile: Profile, code: str = "ar") -> str:
    """How the text was normalised, for a metric's signature."""
    return f"norm:{code}-{profile}-v{language(code).normalisation.version}"
