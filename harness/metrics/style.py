"""What moves similarity scores without moving quality: length and variety."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..languages import Language
from ..languages.text import Profile, signature, words
from ..scores.signatures import NEITHER_IS_BETTER, RATE
from .base import Answers, Scores
from .registry import Group, metric

_COLUMNS = ("length_match", "longer", "distinct_1", "distinct_2")


@metric(
    Group.STYLE,
    meaning={
        "length_match": "the shorter length over the longer one, of answer and reference in words",
        "longer": "has more words than the reference",
        "distinct_1": "different words over all words of the answer",
        "distinct_2": "different word pairs over all word pairs of the answer",
    },
    neither=_COLUMNS,
)
@dataclass(frozen=True)
class Style:
    """Confounds to be read beside the scores. None of them is good or bad by itself.

    - ``length_match``: 100 · min(a, r) / max(a, r) with a and r the words of answer and reference. The plain ratio
      a / r has no upper end, so it is no percentage; which side is the longer one says
    - ``longer``: 100 where the answer has more words than the reference, else 0.
    - ``distinct_1``, ``distinct_2``: different over all words, word pairs of the answer (Li et al. 2016, here per
      answer), 0 without any.
    """

    language: Language

    columns = _COLUMNS

    @cached_property
    def signatures(self) -> dict[str, str]:
        end = f"tok:words|{signature(Profile.METRIC, self.language)}|{NEITHER_IS_BETTER}|version:1"
        references = ("1", "1", "0", "0")
        kinds = ("", f"{RATE}|", "", "")
        rows = zip(_COLUMNS, references, kinds, strict=True)
        return {column: f"refs:{count}|{kind}{end}" for column, count, kind in rows}

    def score(self, answers: Answers) -> dict[str, Scores]:
        found = np.zeros((len(answers), len(_COLUMNS)))
        for row, (text, reference) in enumerate(zip(answers.predictions, answers.references, strict=True)):
            tokens = words(text, Profile.METRIC, self.language)
            length, other = len(tokens), len(words(reference, Profile.METRIC, self.language))
            found[row, 0] = min(length, other) / max(length, other, 1)
            found[row, 1] = length > other
            found[row, 2] = len(set(tokens)) / max(length, 1)
            found[row, 3] = len(set(pairwise(tokens))) / max(length - 1, 1)
        return {name: 100 * found[:, column] for column, name in enumerate(self.columns)}
