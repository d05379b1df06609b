"""What an arm comes down to on given rows: arms of equal effect are one training under several names."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from ..arms import Arm, ArmSpec, Floats, arm_pace, arm_weights, nearly_even
from ..arms.spec import SAME_CV
from ..losses.modes import LossMode
from .config import TrainConfig
from .plan import plan_of

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 9
"""Weights that differ further behind are equal: sums in another order make such differences."""


def effective_sha256(spec: ArmSpec, rows: pd.DataFrame, config: TrainConfig, effective_batch: int) -> str:
    """Digest of all that an arm changes in a training on these rows under these settings: the weights as they enter
    the loss, the order, the learning rates and the loss of tokens.

    Weights that hardly differ (``nearly_even``) count as equal. Where the loss divides by their mean or their sum,
    equal ones are no weights; under ``paper`` they are if they are 1, or nearly.

    Raises:
        UserError: as ``arm_weights`` and ``plan_of``.
    """
    plan = plan_of(spec, rows, config, effective_batch)
    pace = arm_pace(spec, rows, config.seed)
    parts = (
        _settled(arm_weights(spec, rows, config.seed), config.loss).astype("<f8").tobytes(),
        plan.order.astype("<i8").tobytes(),
        b"" if pace is None else _settled(pace, config.loss).astype("<f8").tobytes(),
        plan.rates.astype("<f8").tobytes(),
        repr((plan.restarts, _token_loss(spec))).encode(),
    )
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _settled(weights: Floats, loss: LossMode) -> Floats:
    mean = float(weights.mean())
    relative = np.ones(len(weights)) if nearly_even(weights) else weights / mean
    if loss is LossMode.PAPER and (abs(mean - 1) >= SAME_CV or not nearly_even(weights)):
        relative = relative * mean
    found: Floats = relative.round(_DIGITS)
    return found


def _token_loss(spec: ArmSpec) -> tuple[str, float | None]:
    """Whose loss of tokens it is, and how strong; plain cross-entropy is nobody's."""
    plain = type(spec.arm).token_loss is Arm.token_loss or spec.gamma == 0
    return ("", None) if plain else (spec.arm.name, spec.gamma)
