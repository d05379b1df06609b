"""In which languages answers are written, by the letters of their words."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..languages import Language, codes, language
from .sources.base import Note

MIXED, OTHER = "mixed", "other"
MOST = 0.8
"""Share of a text's words that makes it a language's: the name of a drug makes no answer mixed."""


def answer_languages(answers: pa.Array, usual: Language) -> dict[str, int]:
    """How many answers are in each language, by its code, ``mixed``, or ``other``.

    A language has an answer of whose words ``MOST`` are of its letters; languages of one script are not told apart,
    and ``usual`` stands for its own. Mixed has as many of several known languages together; what is left is other.
    """
    tongues = [usual, *(tongue for tongue in map(language, codes()) if tongue != usual)]
    words = _count(answers, r"\pL")
    known = np.array([_count(answers, _plain(tongue.letters)) for tongue in tongues])
    enough = MOST * words
    # The first wins where two share a script.
    best = np.where((known >= enough).any(axis=0) & (words > 0), (known >= enough).argmax(axis=0), -1)
    together = _count(answers, "".join(_plain(tongue.letters) for tongue in tongues))
    mixed = int(((best < 0) & (words > 0) & (together >= enough)).sum())
    found = {tongue.code: int((best == place).sum()) for place, tongue in enumerate(tongues)}
    return {**found, MIXED: mixed, OTHER: len(answers) - sum(found.values()) - mixed}


def language_notes(counts: dict[str, int], usual: Language) -> list[Note]:
    """What to say of it: nothing where all answers are in the usual language."""
    if not sum(counts.values()) - counts[usual.code]:
        return []
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    return [Note("reading.answer_languages", {"counts": told})]


def _count(texts: pa.Array, letters: str) -> npt.NDArray[np.int64]:
    """Words of these letters, with their marks, in each text."""
    counts: npt.NDArray[np.int64] = pc.count_substring_regex(texts, rf"[{letters}][{letters}\pM]*").to_numpy()
    return counts


def _plain(letters: str) -> str:
    """The inside of a character class without Python's escapes, which arrow does not know."""
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), letters)
