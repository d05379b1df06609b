"""How sure a classifier should be, and of what: learnt on rows that it was not trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

_BOUNDS = (0.1, 10.0)
# Within this factor of a bound the loss has no minimum inside.
_AT_BOUND = 1.01
_PULL = 1e-3
"""Of the bias towards 0, so that rows that are perfectly separated cannot drive it away."""


class Calibration(NamedTuple):
    """Probabilities are the softmax of logits / temperature + bias; ``determined`` False where nothing says so."""

    temperature: float
    bias: tuple[float, float, float]
    determined: bool


def fit_calibration(logits: npt.NDArray[np.float64], ranks: npt.NDArray[np.int8]) -> Calibration:
    """Temperature and bias of the least mean negative log likelihood.

    The bias gives back the share of each severity, which a fit that weighs all severities alike has taken
    (bias-corrected temperature scaling: Alexandari, Kundaje and Shrikumar 2020, arXiv 1901.06852). Where no
    temperature is determined, it is 1 and the bias 0.

    Args:
        logits: shape (n, 3).
        ranks: true ranks, shape (n,).
    """
    start = fit_temperature(logits, ranks)
    if start is None:
        return Calibration(1.0, (0.0, 0.0, 0.0), determined=False)
    rows = np.arange(len(ranks))

    def loss(values: npt.NDArray[np.float64]) -> float:
        bias = np.array([values[1], 0.0, values[2]])
        nll = -log_softmax(logits / np.exp(values[0]) + bias, axis=1)[rows, ranks].mean()
        return float(nll + _PULL * (bias**2).sum())

    found = minimize(loss, [np.log(start), 0.0, 0.0], bounds=[tuple(np.log(_BOUNDS)), (None, None), (None, None)])
    temperature, mild, severe = float(np.exp(found.x[0])), float(found.x[1]), float(found.x[2])
    return Calibration(temperature, (mild, 0.0, severe), determined=True)


def fit_temperature(logits: npt.NDArray[np.float64], ranks: npt.NDArray[np.int8]) -> float | None:
    """The T that minimises the mean negative log likelihood of softmax(logits / T) (Guo et al. 2017).

    None if there is no such T: the rows are perfectly separated, as near-duplicates of training rows are, or the
    logits say nothing about them. Such a T would make every probability 0 or 1, or all equal.

    Args:
        logits: shape (n, 3).
        ranks: true ranks, shape (n,).
    """
    # Where every row is called right, a lower T is always better, though soon by less than a float can tell.
    if (logits.argmax(axis=1) == ranks).all():
        return None
    rows = np.arange(len(ranks))

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=1)[rows, ranks].mean())

    found = minimize_scalar(loss, bounds=np.log(_BOUNDS), method="bounded", options={"xatol": 1e-6})
    temperature = float(np.exp(found.x))
    lowest, highest = _BOUNDS[0] * _AT_BOUND, _BOUNDS[1] / _AT_BOUND
    return temperature if lowest < temperature < highest else None
