"""Temperature scaling: how sure a classifier should be, learnt on rows that it was not trained on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_BOUNDS = (0.1, 10.0)
# Within this factor of a bound the loss has no minimum inside.
_AT_BOUND = 1.01


def fit_temperature(logits: npt.NDArray[np.float64], ranks: npt.NDArray[np.int8]) -> float | None:
    """The T that minimises the mean negative log likelihood of softmax(logits / T) (Guo et al. 2017).

    None if there is no such T: the rows are perfectly separated, as near-duplicates of training rows are, or the
    logits say nothing about them. Such a T would make every probability 0 or 1, or all equal.

    Args:
        logits: shape (n, 3).
        ranks: true ranks, shape (n,).
    """
    rows = np.arange(len(ranks))

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=1)[rows, ranks].mean())

    found = minimize_scalar(loss, bounds=np.log(_BOUNDS), method="bounded", options={"xatol": 1e-6})
    temperature = float(np.exp(found.x))
    lowest, highest = _BOUNDS[0] * _AT_BOUND, _BOUNDS[1] / _AT_BOUND
    return temperature if lowest < temperature < highest else None
