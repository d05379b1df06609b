"""What an arm is, and how one is declared."""

from __future__ import annotations

from collections.abc import Callable
from enum import Flag, auto
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from ...harness.core.registry import Registry
from ...harness.severity import PROBABILITY_COLUMNS, Weights
from ..losses.token_loss import cross_entropy

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


class Needs(Flag):
    """What an arm needs to be given: a weighting scheme or a ``gamma``, and what every training row has to have."""

    NOTHING = 0
    SCHEME = auto()
    PROBABILITIES = auto()
    SEVERITIES = auto()
    GAMMA = auto()
    LABELS = PROBABILITIES | SEVERITIES


class Arm:
    """One arm of an experiment. This one is plain cross-entropy; a declared arm says what it does instead.

    ``trains`` is false for the untouched base. ``uses`` is what it needs, which is checked before it is asked for
    anything of rows. ``even`` says that its weights are equal on purpose, so that nobody warns of it. ``ordered``
    is false where the stages that its levels make only say how much each row is shown, and the order is random.
    ``gamma`` is the strength of its token loss, where it has one.
    """

    name: str
    trains: bool = True
    uses: Needs = Needs.NOTHING
    even: bool = False
    ordered: bool = True
    gamma: float = 2.0

    @property
    def staged(self) -> bool:
        """Whether its levels cut the training into stages."""
        return type(self).levels is not Arm.levels

    @property
    def summary(self) -> str:
        """What it does in one sentence: the first line of its docstring."""
        return (self.__doc__ or "").strip().splitlines()[0].rstrip(".")

    def weights(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats:
        """The weight of each training row in the loss, shape (n,), before any scaling.

        Args:
            scheme: the one asked for; all ones for an arm that needs none.
        """
        return np.ones(len(rows))

    def levels(self, rows: pd.DataFrame, seed: int) -> Rows | None:
        """The level of each row, shape (n,), by which the training is cut into stages: a severity's rank where the
        settings name stages by severity, else any numbers, the lowest first. None: one stage of all rows, in the
        order that the arms of an experiment share."""
        return None

    def shares(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats | None:
        """In proportion to what each row is shown, shape (n,); None: all rows equally often."""
        return None

    def paced_by(self, rows: pd.DataFrame, scheme: Weights, seed: int) -> Floats | None:
        """Weights (n,) of the training whose updates' length the learning rate is fitted to; None: no such fit."""
        return None

    def token_loss(self, nll: Tensor) -> tuple[Tensor, Tensor]:
        """What each token's negative log-likelihood counts for, and the slope of that by ``nll``: all (N,)."""
        return cross_entropy(nll)


ARMS: Registry[Arm] = Registry("arm")

_Declared = TypeVar("_Declared", bound=Arm)


def arm(name: str) -> Callable[[type[_Declared]], type[_Declared]]:
    """Declare an arm under the name that ``--arm``, experiments, manifests and boards call it by."""

    def declare(kind: type[_Declared]) -> type[_Declared]:
        declared = kind()
        declared.name = name
        ARMS.add(name, declared, f"{kind.__module__}.{kind.__qualname__}")
        return kind

    return declare


def probabilities(rows: pd.DataFrame) -> Floats:
    """The severity probabilities of training rows, shape (n, 3), by rank."""
    found: Floats = rows[list(PROBABILITY_COLUMNS)].to_numpy(np.float64)
    return found
