"""Sentences of an answer, split once for all detectors."""

from __future__ import annotations

from functools import lru_cache

from ...languages import Language
from ...languages.clauses import Clause, clauses


@lru_cache(maxsize=1 << 14)
def sentences(text: str, language: Language) -> tuple[Clause, ...]:
    """The normalised words of a text, sentence by sentence."""
    return tuple(clauses(text, language))
