"""Clinical severity of a complaint, its spellings in the wild, and the published weighting schemes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .core.errors import UserError


class Severity(StrEnum):
    """The paper's three classes, in the order in which tables show them."""

    CRITICAL = "critical"
    NEUTRAL = "neutral"
    NON_CRITICAL = "non_critical"

    @property
    def rank(self) -> int:
        """0 for non-critical, 1 for neutral, 2 for critical: the ordinal scale of triage."""
        return _RANKS[self]


_RANKS = {Severity.NON_CRITICAL: 0, Severity.NEUTRAL: 1, Severity.CRITICAL: 2}

SEVERITIES: tuple[Severity, ...] = tuple(Severity)

CLASS_OF_LEVEL: dict[int, Severity] = {
    1: Severity.CRITICAL,
    2: Severity.CRITICAL,
    3: Severity.NEUTRAL,
    4: Severity.NON_CRITICAL,
    5: Severity.NON_CRITICAL,
}
"""What each acuity level of triage (1 immediate, 2 emergency, 3 urgent, 4 routine, 5 no visit) is among the paper's
classes. ESI, MTS, SATS and CTAS all draw a line under level 2; ESI, CTAS and SATS draw the other under level 3. The
levels are defined in ``docs/severity.md``."""

PROBABILITY_COLUMNS: tuple[str, str, str] = ("p_non_critical", "p_neutral", "p_critical")
"""Column order of every probability matrix: by rank, as in the paper's ``[p_nc, p_n, p_c]``."""

LEVELS = range(1, 6)
"""Of triage, 1 the most urgent."""


class Grade(NamedTuple):
    """What somebody says of a complaint: its class, and its level of triage where that was said."""

    severity: Severity
    level: int | None = None


def grade_of_level(level: int) -> Grade:
    """The grade of a level from 1 to 5."""
    return Grade(CLASS_OF_LEVEL[level], level)


def parse_severity(text: str) -> Severity:
    """Read a severity in any known spelling; see ``parse_grade``.

    Raises:
        UserError: nobody knows this severity.
    """
    return parse_grade(text).severity


def parse_grade(text: str) -> Grade:
    """Read a severity: a class, or a level of triage from 1 to 5, by number or by a name in any language.

    Digits may be those of any script, and a number may come from a sheet as ``2.0``. Of a number beside a name, as
    in ``2 - Emergency``, the name counts, for the number's scale is anybody's; the level is kept where both say one
    class. Several names, as in ``non-critical (low)``, must all be known and say one class.

    Raises:
        UserError: nobody knows this severity, or a level is outside the scale.
    """
    # Here, since the help of every command names severities and reads no language.
    from .languages import codes, language
    from .languages.severities import severity_key

    given, text, tables = text, str(text), _spellings()
    if text in _CANONICAL:
        return _CANONICAL[text]
    if (number := whole_number(text)) is not None:
        if number in LEVELS:
            return grade_of_level(number)
        raise UserError(
            f"level {number} is outside the scale of 1 (the most urgent) to 5",
            "Write 1 to 5, or the classes critical, neutral and non_critical",
        )
    keys = {code: severity_key(text, language(code)) for code in tables}
    if (grade := _agreed([_named(key, tables[code]) for code, key in keys.items()])) is not None:
        return grade
    split = [
        {code: severity_key(part, language(code)) for code in tables}
        for part in _BETWEEN.split(text)
        if part.strip()
    ]
    named = [part for part in split if not any(key.isdecimal() for key in part.values())]
    said = [_agreed([_named(key, tables[code]) for code, key in part.items()]) for part in named]
    if None not in said and (grade := _agreed(said)) is not None:
        return grade
    names = [name for code in codes() for name in language(code).severity_names.values()]
    usable = ", ".join(dict.fromkeys([*map(str, SEVERITIES), *names]))
    raise UserError(f"unknown severity {given!r}", f"Use one of: {usable}, or a level of triage from 1 to 5")


def whole_number(text: str) -> int | None:
    """A number without a fraction, in the digits of any script; None where the text is none."""
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return int(found[1]) if found else None


_CANONICAL = {str(severity): Grade(severity) for severity in SEVERITIES}
_NUMBER = re.compile(r"(-?\d{1,9})(?:[.,\u066B]0+)?")
_BETWEEN = re.compile(r"[()\[\]{}:;,=/|\n\u060C\u061B]|\s[-\u2013\u2014]+\s")
"""What stands between two names of one severity."""


def _agreed(found: Sequence[Grade | None]) -> Grade | None:
    """The one class of all that were found, with a level where one says it; None where there is none or several."""
    known = [grade for grade in found if grade]
    if len({grade.severity for grade in known}) != 1:
        return None
    return next((grade for grade in known if grade.level), known[0])


def _named(key: str, table: Mapping[str, Grade]) -> Grade | None:
    """The grade of a name, of ``level 2``, and of ``2 emergency``, whose name counts."""
    numbers = [word for word in key.split() if word.isdecimal()]
    rest = " ".join(word for word in key.split() if not word.isdecimal())
    if len(numbers) != 1:
        return table.get(key)
    grade = grade_of_level(int(numbers[0])) if int(numbers[0]) in LEVELS else None
    if not rest:
        return grade
    named = table.get(rest)
    return grade if named and grade and named.severity is grade.severity else named


@cache
def _spellings() -> dict[str, dict[str, Grade]]:
    """Grades by code of a language and key of a name: a label may stand in another one than the questions.

    Raises:
        UserError: one spelling is the name of two severities.
    """
    from .languages import codes, language
    from .languages.severities import named_severities, severity_key

    tables: dict[str, dict[str, Grade]] = {}
    seen: dict[str, Severity] = {}
    for code in codes():
        table = {severity_key(str(each), language(code)): Grade(each) for each in SEVERITIES}
        for key, target in named_severities(language(code)).items():
            grade = grade_of_level(int(target)) if target.isdecimal() else Grade(Severity(target))
            severity = seen.setdefault(key, table.setdefault(key, grade).severity)
            if grade.severity is not severity:
                raise UserError(
                    f"{key!r} is {grade.severity} in language {code}, and {severity} elsewhere", "Rename it"
                )
        tables[code] = table
    return tables


def one_hot(severities: list[Severity]) -> npt.NDArray[np.float64]:
    """Probabilities of certain labels, shape (n, 3) in the order of ``PROBABILITY_COLUMNS``."""
    return np.eye(3)[[severity.rank for severity in severities]].reshape(-1, 3)


@dataclass(frozen=True)
class Weights:
    """The instance weight of the severity-aware loss, ``w = α·p_nc + β·p_n + γ·p_c`` (arXiv 2604.06346)."""

    alpha: float
    beta: float
    gamma: float

    def of(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Weights of shape (n,) for probabilities of shape (n, 3)."""
        weights: npt.NDArray[np.float64] = probabilities @ np.array([self.alpha, self.beta, self.gamma])
        return weights


SCHEMES: dict[str, Weights] = {
    "mild": Weights(0.75, 1.0, 1.25),
    "balanced": Weights(0.5, 1.0, 1.5),
    "strong": Weights(0.25, 1.0, 1.75),
}


MOST = 1e6
"""No weight is larger, and no mean of weights smaller than its inverse: float32, in which losses are summed, tells
apart seven digits."""


def parse_weights(text: str) -> Weights:
    """Read a scheme's name, or ``α,β,γ`` such as ``0.5,1,1.5``.

    Raises:
        UserError: neither; or a weight is negative, not finite or absurdly large, or all three are nearly zero.
    """
    if text in SCHEMES:
        return SCHEMES[text]
    remedy = f"Give one of {', '.join(SCHEMES)}, or three weights such as 0.5,1,1.5"
    try:
        alpha, beta, gamma = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"unknown weighting scheme {text!r}", remedy) from None
    values = np.array([alpha, beta, gamma])
    if not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise UserError(f"weights {text!r} must be finite, not negative and not all zero", remedy)
    if values.max() > MOST or values.max() < 1 / MOST:
        raise UserError(f"weights {text!r} are absurd: a weight counts beside others of about 1", remedy)
    return Weights(alpha, beta, gamma)
