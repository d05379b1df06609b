"""The floor of an engine's noise: how large a difference of means asking again makes by itself.

Of a question i that was asked twice, d_i is the second score minus the first. Both come about alike, so d_i varies
around 0 with the variance 2·σ_i², where σ_i² is that of one answer's score; its estimate is the mean of d_i², since
the mean that it varies around is known. A system that is asked all n questions again has a mean that differs by the
mean of n such d_i, of variance v/n. Two systems, each asked once, differ by chance alone with the variance
(v_A/2 + v_B/2)/n, half of each side's; one that is the mean over T trainings brings the mean of their v/2 over T.
The absolute difference stays below t·√variance in 95 % of cases: the repeatability coefficient 1.96·√2·s_w (Bland
and Altman 1986, doi 10.1016/S0140-6736(86)90837-8) for the mean of n answers, with Student's t at the degrees of
freedom of the estimate (Satterthwaite 1946, doi 10.2307/3002019) since only some questions were asked again.

Over all severities v is the mean of theirs, each weighted by its share of the n questions, so that it does not
matter whether all were asked again at the same share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """``square``: the mean of squared self-differences, in squared percentage points; ``freedom``: its degrees of
    freedom."""

    square: float
    freedom: float


def spread_of(differences: npt.NDArray[np.float64]) -> Spread:
    """What the self-differences (n,) of questions that were asked twice say.

    n normal differences have n degrees of freedom. Where most answers stay and a few move far, their mean square is
    known less well: 2·n/(κ - 1), with κ the mean of their fourth powers over the square of their mean square
    (O'Neill 2014, doi 10.1080/00031305.2014.966589, for a known mean).
    """
    n, square = len(differences), float(np.mean(differences**2))
    kurtosis = float(np.mean(differences**4)) / square**2 if square else 3.0
    return Spread(square, n * min(1.0, 2 / (kurtosis - 1)) if kurtosis > 1 else float(n))


@dataclass(frozen=True)
class Part:
    """A share of a variance: ``weight`` times what ``spread`` estimates."""

    weight: float
    spread: Spread


def floor_of(parts: Iterable[Part]) -> float:
    """The 95 % bound of the absolute value of what varies around 0 with the sum of the parts' variances.

    Returns:
        Percentage points; 0 where no answer changed.
    """
    known = list(parts)
    variances = [part.weight * part.spread.square for part in known]
    if not (total := sum(variances)):
        return 0.0
    freedom = total**2 / sum(each**2 / part.spread.freedom for each, part in zip(variances, known, strict=True))
    return float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(total)


def parts_of(strata: Mapping[str, Spread], sizes: Mapping[str, int], weight: float) -> list[Part] | None:
    """What asking one run again adds to the variance of a mean over the severities of ``sizes``.

    Args:
        strata: of a metric by severity.
        sizes: questions of each severity that the mean is over.
        weight: of the run, such as a half for one of two sides.

    Returns:
        None where nothing is known of a severity.
    """
    counted = {severity: n for severity, n in sizes.items() if n}
    total = sum(counted.values())
    if not total or any(severity not in strata for severity in counted):
        return None
    return [Part(weight * n / total**2, strata[severity]) for severity, n in counted.items()]


def at_most(changed: int, asked: int) -> float:
    """The share, in percent, that 95 % confidence does not exceed where ``changed`` of ``asked`` answers changed
    (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404; one-sided)."""
    if changed >= asked:
        return 100.0
    return 100 * float(special.betaincinv(changed + 1, asked - changed, LEVEL))
