"""True rates behind the rates of a detector that errs, by what it did on annotated answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from .intervals import LEVEL, wilson


@dataclass(frozen=True)
class Detection:
    """What a detector did on annotated answers: of ``events`` it marked ``hits``, of ``others`` it left ``passed``
    unmarked."""

    hits: int
    events: int
    passed: int
    others: int

    @property
    def youden(self) -> float:
        """Sensitivity + specificity - 1; NaN without an event or without another answer."""
        if not (self.events and self.others):
            return float("nan")
        return self.hits / self.events + self.passed / self.others - 1

    @property
    def youden_ends(self) -> tuple[float, float]:
        """Its 95 % interval, joined from Wilson's of both shares as Newcombe 1998 does (Statistics in Medicine
        17:2635, method 10)."""
        down = up = 0.0
        for count, total in ((self.hits, self.events), (self.passed, self.others)):
            low, high = (float(end) / 100 for end in wilson(np.array(float(count)), total))
            down, up = down + (count / total - low) ** 2, up + (high - count / total) ** 2
        return self.youden - down**0.5, self.youden + up**0.5

    @property
    def informs(self) -> bool:
        """Whether it tells events from other answers, at 5 %. Else a rate that is divided by ``youden`` could be
        anything (Gleser and Hwang 1987, doi 10.1214/aos/1176350597)."""
        return bool(self.events and self.others) and self.youden_ends[0] > 0


def true_rate(rate_pct: float, n: float, detection: Detection) -> tuple[float, float, float] | None:
    """The rate of events behind the percentage of ``n`` answers that a detector marks, with a 95 % interval, in
    percent; None where the detector does not tell events from other answers. Of clustered answers n is as many as
    they are worth.

    (rate + specificity - 1) / (sensitivity + specificity - 1) (Rogan and Gladen 1978,
    doi 10.1093/oxfordjournals.aje.a112510), cut to what a rate can be. The interval counts that sensitivity and
    specificity are estimates too (Lang and Reiczigel 2014, doi 10.1016/j.prevetmed.2013.09.015, equations 6, 7, 16
    and 17).
    """
    if not detection.informs or not n:
        return None
    rate = rate_pct / 100
    sensitivity, specificity = detection.hits / detection.events, detection.passed / detection.others
    estimate = (rate + specificity - 1) / (sensitivity + specificity - 1)
    z = float(special.ndtri((1 + LEVEL) / 2))
    # Their primes: pseudo-counts, as Agresti and Coull have them.
    events, others, answers = detection.events + 2, detection.others + 2, n + z**2
    sensitivity, specificity = (detection.hits + 1) / events, (detection.passed + 1) / others
    rate = (n * rate + z**2 / 2) / answers
    youden = sensitivity + specificity - 1
    centre = (rate + specificity - 1) / youden
    noise_events = sensitivity * (1 - sensitivity) / events
    noise_others = specificity * (1 - specificity) / others
    moved = 2 * z**2 * (centre * noise_events - (1 - centre) * noise_others)
    square = rate * (1 - rate) / answers + centre**2 * noise_events + (1 - centre) ** 2 * noise_others
    half = z * square**0.5 / abs(youden)
    ends = (estimate, centre + moved - half, centre + moved + half)
    value, low, high = (100 * float(np.clip(end, 0, 1)) for end in ends)
    return value, min(low, value), max(high, value)


def true_difference(
    mean: float, low: float | None, high: float | None, detection: Detection
) -> tuple[float, float, float] | None:
    """The difference of the rates of events behind a difference of marked answers, in points; None as in
    ``true_rate``, or without an interval.

    Both systems are read by one detector, so that its false alarms fall out and the difference of the marked shares
    is Youden's index times that of the events. The interval of the quotient is joined from those of both parts
    (MOVER-R: Donner and Zou 2012, doi 10.1177/0962280210383082), and so holds 0 exactly if that of the marked
    shares does.
    """
    if not detection.informs or low is None or high is None:
        return None
    youden, (least, most) = detection.youden, detection.youden_ends
    ends = (-_upper(-mean, -low, youden, least, most), _upper(mean, high, youden, least, most))
    value, lower, upper = (float(np.clip(end, -100, 100)) for end in (mean / youden, *ends))
    return value, lower, upper


def _upper(mean: float, high: float, youden: float, least: float, most: float) -> float:
    """The upper end of mean / youden: where mean - r · youden has 0 as its own upper end."""
    end = least if high >= 0 else most
    product = mean * youden
    root = product**2 - high * (2 * mean - high) * end * (2 * youden - end)
    return (product + math.sqrt(max(root, 0.0))) / (end * (2 * youden - end))
