"""What one question to a gold found."""

from __future__ import annotations

from enum import StrEnum

from ...core.settings import Record
from ...languages.sentences import Words


class Weight(StrEnum):
    """How much a finding takes from a gold: nothing, a limit that has to be said, or all."""

    NONE = "none"
    LIMIT = "limit"
    FATAL = "fatal"


class Checked(Record):
    """One check of a gold.

    Attributes:
        check: its name.
        effect: how large, in ``unit``: kappa from 0 to 1, or percent.
        p: of the check alone; None where it is no test.
        tested: whether it belongs to the family of tests of the audit, adjusted by Holm.
        weight: what it takes from the gold.
        words: one sentence.
        rows: ids to look at first.
    """

    check: str
    effect: float | None
    unit: str
    p: float | None
    weight: Weight
    words: Words
    rows: tuple[str, ...] = ()
