"""What is said of a complaint that no source knows anything about."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..languages import Language, Part
from .sources.base import Probabilities
from .sources.lexicon import load_lexicon

_PRIOR = np.array([0.3, 0.4, 0.3])
"""Under every published scheme its weight is 1, and neutral is one step from whatever is true."""


def prior(language: Language) -> npt.NDArray[np.float64]:
    """The stated prior of what no source can tell, shape (3,): the language's, else a symmetric one."""
    if not language.knows(Part.LEXICON):
        return _PRIOR
    unknown = load_lexicon(language).rules.unknown
    return np.array([unknown.p_non_critical, unknown.p_neutral, unknown.p_critical])


def without_letters(questions: Sequence[str], language: Language) -> npt.NDArray[np.bool_]:
    """Where a complaint has no letter of the language, shape (n,)."""
    letter = re.compile(f"[{language.letters}]")
    return np.array([letter.search(question) is None for question in questions], dtype=bool)


def filled(probabilities: Probabilities, language: Language) -> Probabilities:
    """Probabilities with the stated prior where the source does not know (rows of NaN)."""
    return np.where(np.isnan(probabilities), prior(language), probabilities)
