"""One difference over several models, which stand for others of their kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from ..languages.sentences import sentence
from .crossed import LEAST_P
from .intervals import LEVEL


@dataclass(frozen=True)
class OverModels:
    """A difference over k models.

    Attributes:
        mean, low, high, p: of the mean over models; no interval and p for one.
        deviation: between the models' true differences (τ), in points.
        q, q_p: Cochran's Q and its p: whether the models' differences differ by more than chance.
        i2_pct: share of the variation between estimates that is not chance, in percent (Higgins and Thompson 2002,
            doi 10.1002/sim.1186).
    """

    models: int
    mean: float
    low: float | None
    high: float | None
    p: float | None
    deviation: float
    q: float
    q_p: float | None
    i2_pct: float

    def __str__(self) -> str:
        from .verdicts import points

        if self.low is None or self.high is None or self.p is None:
            return sentence("over.one")
        return sentence(
            "over.models",
            size=f"{points(self.mean, '+')} [{points(self.low, '+')}, {points(self.high, '+')}]",
            p=f"{'≤' if self.p <= LEAST_P else '='} {self.p:.2g}",
            n=self.models,
            deviation=points(self.deviation),
            share=f"{self.i2_pct:.0f}",
            q=f"{self.q_p:.2g}",
        )


def over_models(differences: Sequence[float], errors: Sequence[float]) -> OverModels:
    """The mean of one difference per model, each counting alike, as one drawn among models of its kind.

    Interval and p are Student's over the models, which is at the level or below it however unequal their errors are
    (Ibragimov and Müller 2010, doi 10.1198/jbes.2009.08046). Weights by standard errors that two or three trainings
    estimate would not be: with ten models Hartung and Knapp's interval rejects 10 % at 5 %, by simulation. The
    variance between models is DerSimonian and Laird's (1986, doi 10.1016/0197-2456(86)90046-2). All of it is on the
    questions that the models share.

    Args:
        differences: in points.
        errors: their standard errors, above 0.
    """
    y, v = np.asarray(differences, float), np.asarray(errors, float) ** 2
    k = len(y)
    if k == 1:
        return OverModels(1, float(y[0]), None, None, None, 0.0, 0.0, None, 0.0)
    w = 1 / v
    q = float((w * (y - (w * y).sum() / w.sum()) ** 2).sum())
    between = max(0.0, (q - (k - 1)) / float(w.sum() - (w**2).sum() / w.sum()))
    mean, error = float(y.mean()), float(y.std(ddof=1)) / k**0.5
    half = float(special.stdtrit(k - 1, (1 + LEVEL) / 2)) * error
    return OverModels(
        models=k,
        mean=mean,
        low=mean - half,
        high=mean + half,
        p=_p(mean, error, k - 1),
        deviation=between**0.5,
        q=q,
        q_p=float(special.chdtrc(k - 1, q)),
        i2_pct=100 * max(0.0, (q - (k - 1)) / q) if q else 0.0,
    )


def _p(mean: float, error: float, freedom: int) -> float:
    """Student's, from ``LEAST_P`` on; of models that agree to the last digit it is that, unless all are at 0."""
    if not error:
        return LEAST_P if mean else 1.0
    return max(LEAST_P, 2 * float(special.stdtr(freedom, -abs(mean) / error)))
