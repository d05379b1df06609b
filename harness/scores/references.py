"""What an answer is compared with where its question has several references."""

from __future__ import annotations

import os
from enum import StrEnum

from ..core.errors import UserError

VARIABLE = "MAQA_REFERENCES"


class References(StrEnum):
    """Similarity with the first of several references, with the best of them, or their mean.

    ``best`` is the largest and ``mean`` the mean of the scores with each; a question with one reference scores the
    same under all three.
    """

    FIRST = "first"
    BEST = "best"
    MEAN = "mean"


def references_asked(given: str | None = None) -> References:
    """What is given, else what ``MAQA_REFERENCES`` says, else the first.

    Raises:
        UserError: it is none of the three.
    """
    said = given or os.environ.get(VARIABLE) or References.FIRST
    try:
        return References(said)
    except ValueError:
        raise UserError(
            f"{said!r} is no way to take several references",
            f"Say {', '.join(References)} (--references, evaluation.references, {VARIABLE})",
        ) from None
