"""Clinical severity of a complaint, its spellings in the wild, and the published weighting schemes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

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

_TERMS = {
    "critical": Severity.CRITICAL,
    "high": Severity.CRITICAL,
    "severe": Severity.CRITICAL,
    "neutral": Severity.NEUTRAL,
    "moderate": Severity.NEUTRAL,
    "medium": Severity.NEUTRAL,
    "non_critical": Severity.NON_CRITICAL,
    "noncritical": Severity.NON_CRITICAL,
    "mild": Severity.NON_CRITICAL,
    "low": Severity.NON_CRITICAL,
}


def parse_severity(text: str) -> Severity:
    """Read a severity in any known spelling.

    Raises:
        UserError: nobody knows this severity.
    """
    try:
        return _spellings()[_key(str(text))]
    except KeyError:
        known = ", ".join(name if name in _TERMS else name.replace("_", " ") for name in _spellings())
        raise UserError(f"unknown severity {text!r}", f"Use one of: {known}") from None


@cache
def _spellings() -> dict[str, Severity]:
    """The terms, and the names of every language: a label may stand in another one than the questions.

    Raises:
        UserError: one spelling is the name of two severities.
    """
    # Here, since the help of every command names severities and reads no language.
    from .languages import codes, language

    found = dict(_TERMS)
    for code in codes():
        for name, spelling in language(code).severity_names.items():
            severity = Severity(name)
            if (other := found.setdefault(_key(spelling), severity)) is not severity:
                raise UserError(f"{spelling!r} is {name} in language {code}, and {other} elsewhere", "Rename it")
    return dict(sorted(found.items(), key=lambda item: SEVERITIES.index(item[1])))


def _key(text: str) -> str:
    return "_".join(text.strip().lower().replace("-", " ").replace("_", " ").split())


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


def parse_weights(text: str) -> Weights:
    """Read a scheme's name, or ``α,β,γ`` such as ``0.5,1,1.5``.

    Raises:
        UserError: neither; or a weight is negative, not finite, or all three are zero.
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
    return Weights(alpha, beta, gamma)
