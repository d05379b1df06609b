"""Temperature scaling: how sure a classifier should be, learnt on rows that it was not trained on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

# Beyond these a temperature only says that the rows are too few or perfectly separated.
_BOUNDS = (0.05, 20.0)


def fit_temperature(logits: npt.NDArray[np.float64], ranks: npt.NDArray[np.int8]) -> float:
    """The T that minimises the mean negative log likelihood of softmax(logits / T) (Guo et al. 2017).

    Args:
        logits: shape (n, 3).
        ranks: true ranks, shape (n,).
    """
    rows = np.arange(len(ranks))

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=1)[rows, ranks].mean())

    found = minimize_scalar(loss, bounds=np.log(_BOUNDS), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
