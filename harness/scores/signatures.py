"""What a metric's signature declares about its column, beyond how the number came about.

A signature is a row of ``key:value`` parts joined by ``|``. Three keys change what the statistics do, so they are
declared by the metric and travel with the scores; nothing is guessed from the values:

- ``kind:rate``: every score is 0 or 100, an event that did or did not happen.
- ``applies:critical`` (severities joined by ``,``) or ``applies:some``: NaN means that the metric does not apply,
  to answers of the other severities, or to any answer. Without it a missing score is an error.
- ``better:lower`` or ``better:neither``: a smaller score is the better one, or neither is. Else a larger one.
"""

from __future__ import annotations

from enum import StrEnum

from ..severity import SEVERITIES, Severity

RATE = "kind:rate"
LOWER_IS_BETTER = "better:lower"
NEITHER_IS_BETTER = "better:neither"
APPLIES_TO_SOME = "applies:some"
OVER_REFERENCES = "references"
"""The key of ``best`` or ``mean``, where a score is that of several references."""


class Better(StrEnum):
    """Which way a score improves."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


def applies_to(*severities: Severity) -> str:
    """The part of a signature which says that a metric applies to these severities alone."""
    return "applies:" + ",".join(severities)


def is_rate(signature: str) -> bool:
    """Whether the column's scores are 0 or 100 each."""
    return RATE in signature.split("|")


def without_rate(signature: str) -> str:
    """The signature of the column's means over several answers, which are shares and no events."""
    return "|".join(part for part in signature.split("|") if part != RATE)


def averaged_over(samples: int, signature: str) -> str:
    """The signature of a column's means over so many answers to each question."""
    return f"{without_rate(signature)}|samples:{samples}"


def samples_of(signature: str) -> int:
    """Over how many answers to each question the column's scores are means."""
    return int(_value(signature, "samples") or 1)


def of_one_answer(signature: str) -> str:
    """A signature without what several answers or references changed in it; so that of both it can be told whether
    the same rules scored the answers."""
    changed = ("samples:", f"{OVER_REFERENCES}:")
    return "|".join(part for part in without_rate(signature).split("|") if not part.startswith(changed))


def over_references_of(signature: str) -> str | None:
    """``best`` or ``mean`` over several references; None where the first alone was compared with."""
    return _value(signature, OVER_REFERENCES)


def better(signature: str) -> Better:
    """Which way the column's scores improve."""
    return Better(_value(signature, "better") or "higher")


def required_severities(signature: str) -> frozenset[Severity]:
    """The severities whose answers all need a score."""
    declared = _value(signature, "applies")
    if declared is None:
        return frozenset(SEVERITIES)
    return frozenset() if declared == "some" else frozenset(Severity(part) for part in declared.split(","))


def _value(signature: str, key: str) -> str | None:
    return next((part[len(key) + 1 :] for part in signature.split("|") if part.startswith(f"{key}:")), None)
