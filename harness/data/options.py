"""What ``maqa prepare`` can be told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.errors import UserError
from ..languages import Language
from .columns import Role
from .severity_map import SeverityMap

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Share:
    """The size of a split: a number of rows, or a fraction of all rows."""

    rows: int | None = None
    fraction: float | None = None

    def of(self, total: int) -> int:
        """Rows of ``total``; a fraction is rounded down, so that fractions that sum to one never ask for more."""
        return self.rows if self.rows is not None else math.floor((self.fraction or 0.0) * total + _ROUNDING)


def parse_share(text: str) -> Share:
    """Read ``2000`` (rows) or ``0.1`` (a fraction: anything with a decimal point, so ``1.0`` is all rows).

    Raises:
        UserError: neither.
    """
    try:
        share = Share(fraction=float(text)) if "." in text else Share(rows=int(text))
    except ValueError:
        share = Share(rows=-1)
    if (
        (share.rows or 0) < 0
        or not 0.0 <= (share.fraction or 0.0) <= 1.0
        or not math.isfinite(share.fraction or 0.0)
    ):
        raise UserError(f"split size {text!r} is no size", "Give rows such as 2000, or a fraction such as 0.1")
    return share


@dataclass(frozen=True)
class PrepareOptions:
    """How a source file becomes a dataset.

    Args:
        columns: columns that the user named; the others are found by their known names.
        reading: options of the source's reader, such as ``sheet``.
        test: size of the test split. validation: size of the validation split; the rest is ``train``.
        seed: of the split.
        overwrite: whether an existing dataset may be replaced.
        language: whose normalisation and column names apply.
        redact: whether personal data in questions and answers is replaced by marks.
        severities: what the values of the severity column mean; by default what is known of them.

    Raises:
        UserError: the fractions of test and validation sum to more than one.
    """

    language: Language
    columns: Mapping[Role, str] = field(default_factory=dict)
    reading: Mapping[str, str] = field(default_factory=dict)
    test: Share = Share(fraction=0.1)
    validation: Share = Share(fraction=0.1)
    seed: int = 0
    overwrite: bool = False
    redact: bool = False
    severities: SeverityMap = field(default_factory=SeverityMap)

    def __post_init__(self) -> None:
        if (self.test.fraction or 0.0) + (self.validation.fraction or 0.0) > 1.0 + _ROUNDING:
            raise UserError(
                f"test {self.test.fraction} + validation {self.validation.fraction} is more than all rows",
                "Lower --test or --validation",
            )
