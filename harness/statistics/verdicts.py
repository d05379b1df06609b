"""What paired differences say, judged family by family, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..scores.signatures import Better
from .columns import OVERALL
from .intervals import Method
from .significance import detectable_at, detectable_difference, holm

ALPHA = 0.05
NOISE = 1e-9
"""Percentage points below which a mean or a deviation is rounding."""
UNCHANGED = 1e-4
"""Percentage points up to which one answer's change is rounding: in another batch a float32 encoder scores the same
text some 1e-6 apart."""


class Verdict(StrEnum):
    """What a difference says at the family-wise level ``ALPHA``; ``difference`` where no side is better.

    ``same answers`` is for runs that no answer tells apart, of which no test can say anything.
    """

    GAIN = "gain"
    LOSS = "loss"
    DIFFERENCE = "difference"
    NO_EVIDENCE = "no evidence"
    NOT_TESTED = "not tested"
    SAME_ANSWERS = "same answers"


@dataclass(frozen=True)
class Difference:
    """Second minus first run: one metric in one stratum (a severity or ``overall``), over the n answers of both.

    Attributes:
        mean, low, high: in percentage points; no interval where ``method`` says why.
        p: two-sided randomisation p; None for n < 2.
        p_holm: the same, adjusted over the ``family`` tests that it was judged with.
        deviation: standard deviation of the differences, in percentage points.
        effect_size: Cohen's d_z, mean over deviation; None where the differences do not vary.
        better: which way the metric improves.
        improved_pct, worsened_pct: share of answers that changed for the better and the worse; rose and fell for a
            metric with no better side.
        detectable: smallest true difference that this test, adjusted for its family, finds with 80 % power, in
            percentage points.
        error, freedom: standard error over questions and trainings, and its degrees of freedom; None where interval
            and p are over questions alone.
    """

    metric: str
    stratum: str
    n: int
    mean: float
    low: float | None
    high: float | None
    method: Method
    p: float | None
    deviation: float | None
    effect_size: float | None
    better: Better
    improved_pct: float | None
    worsened_pct: float | None
    p_holm: float | None = None
    family: int = 0
    detectable: float | None = None
    verdict: Verdict = Verdict.NOT_TESTED
    error: float | None = None
    freedom: float | None = None


def points(value: float, sign: str = "") -> str:
    """Percentage points with one decimal. A value that is too small for it keeps its first digit, so that no loss
    reads as -0.0 and no bound as 0.0.

    Args:
        sign: ``+`` to show the sign of positive values too.
    """
    return f"{value:{sign}.1g}" if NOISE < abs(value) < 0.05 else f"{value:{sign}z.1f}"


def judge(family: Sequence[Difference]) -> list[Difference]:
    """The same differences, judged as one family: Holm's p, detectable difference at ALPHA over the family's size,
    and verdict. Differences without a p (n < 2) stay outside it."""
    tested = [difference for difference in family if difference.p is not None]
    adjusted = iter(holm([difference.p for difference in tested if difference.p is not None]))
    return [
        _judged(difference, next(adjusted), len(tested)) if difference.p is not None else difference
        for difference in family
    ]


def in_words(differences: Sequence[Difference]) -> str:
    """The verdict on one metric: what was found in which severity, where nothing was found and what could have been
    missed there; then the overall difference.

    Args:
        differences: those of one metric, judged.
    """
    strata = [difference for difference in differences if difference.stratum != OVERALL]
    parts = [_found(difference) for difference in strata if difference.verdict in _FOUND]
    silent = [difference for difference in strata if difference.verdict is Verdict.NO_EVIDENCE]
    if silent:
        missed = ", ".join(_missed(difference) for difference in silent)
        parts.append(f"no evidence of a difference in {missed}")
    untested = [difference for difference in strata if difference.verdict is Verdict.NOT_TESTED]
    if untested:
        few = ", ".join(f"{difference.stratum} (n = {difference.n})" for difference in untested)
        parts.append(f"not tested in {few}")
    parts += [
        f"overall {_size(difference)}, {_p(difference)}"
        for difference in differences
        if difference.stratum == OVERALL and difference.p_holm is not None
    ]
    return "; ".join(parts)


_FOUND = (Verdict.GAIN, Verdict.LOSS, Verdict.DIFFERENCE)


def _judged(difference: Difference, p_holm: float, family: int) -> Difference:
    detectable = None
    if difference.error and difference.freedom:
        detectable = detectable_at(difference.error, difference.freedom, ALPHA / family)
    elif difference.deviation:
        detectable = detectable_difference(difference.deviation, difference.n, ALPHA / family)
    verdict = Verdict.NO_EVIDENCE
    if p_holm < ALPHA:
        rose = difference.mean > 0
        verdict = {
            Better.HIGHER: Verdict.GAIN if rose else Verdict.LOSS,
            Better.LOWER: Verdict.LOSS if rose else Verdict.GAIN,
            Better.NEITHER: Verdict.DIFFERENCE,
        }[difference.better]
    return replace(difference, p_holm=p_holm, family=family, detectable=detectable, verdict=verdict)


def _found(difference: Difference) -> str:
    return f"{difference.verdict} found in {difference.stratum}: {_size(difference)}, {_p(difference)}"


def _p(difference: Difference) -> str:
    return f"{'Holm p' if difference.family > 1 else 'p'} = {difference.p_holm:.2g}"


def _missed(difference: Difference) -> str:
    if difference.detectable is None:
        return (
            f"{difference.stratum} ({'every answer changed equally' if difference.mean else 'no answer changed'})"
        )
    return f"{difference.stratum} (differences below {points(difference.detectable)} could have been missed)"


def _size(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return points(difference.mean, "+")
    return f"{points(difference.mean, '+')} [{points(difference.low, '+')}, {points(difference.high, '+')}]"
