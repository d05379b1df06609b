"""An arm as asked for, and what it makes of the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...harness.core.errors import UserError
from ...harness.severity import SCHEMES, Weights, parse_weights
from .base import ARMS, Arm, Floats, Needs, Rows, probabilities

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SCHEME = "balanced"
_LABEL = "Label the dataset with `maqa label DATASET --with rules`"
_EVEN = Weights(1.0, 1.0, 1.0)


@dataclass(frozen=True)
class ArmSpec:
    """An arm with its scheme: a scheme's name, or ``α,β,γ`` as given; None for the arms without weights."""

    arm: Arm
    scheme: str | None = None

    @classmethod
    def of(cls, name: str, scheme: str | None = None, weights: str | None = None) -> ArmSpec:
        """The arm as asked for; ``balanced`` where an arm needs a scheme and none is named.

        Raises:
            UserError: nobody knows the arm, both scheme and weights are given, the arm has no weights, or they
                cannot be read.
        """
        arm = ARMS[name]
        if scheme is not None and weights is not None:
            raise UserError("--scheme and --weights exclude each other", "Give one of them")
        given = scheme if scheme is not None else weights
        if Needs.SCHEME not in arm.uses:
            if given is not None:
                raise UserError(f"arm {name!r} has no weights, but {given!r} was given", "Leave the weights out")
            return cls(arm)
        if scheme is not None and scheme not in SCHEMES:
            raise UserError(f"unknown weighting scheme {scheme!r}", f"Use one of: {', '.join(SCHEMES)}")
        chosen = DEFAULT_SCHEME if given is None else given
        parse_weights(chosen)
        return cls(arm, chosen)

    @property
    def name(self) -> str:
        """Name of the arm's checkpoint: ``ce``, ``severity-balanced``, ``shuffled-0.5,1,1.5``."""
        return self.arm.name if self.scheme is None else f"{self.arm.name}-{self.scheme}"

    @property
    def weights(self) -> Weights | None:
        """α, β and γ, where the arm has them."""
        return None if self.scheme is None else parse_weights(self.scheme)


def arm_weights(spec: ArmSpec, train: pd.DataFrame, seed: int) -> Floats:
    """The weight of each training example, shape (n,), before any scaling; ones for the arms without weights.

    Raises:
        UserError: a row lacks what the arm needs, or the weights are negative, not finite or all zero.
        ValueError: the arm does not give one weight a row.
    """
    _demand(spec, train)
    weights = np.asarray(spec.arm.weights(train, spec.weights or _EVEN, seed), np.float64)
    if weights.shape != (len(train),):
        raise ValueError(f"arm {spec.arm.name!r} gives weights of shape {weights.shape} for {len(train)} rows")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise UserError(
            f"the weights of arm {spec.name!r} must be finite, not negative and not all zero",
            "Choose other --weights, or label the dataset again",
        )
    return weights


def flat_warning(spec: ArmSpec, weights: Floats) -> str:
    """What has to be said of an arm under weights (n,) that hardly differ; empty where they do, and for an arm that
    is even on purpose."""
    # Here, since help that names the arms needs nothing that reads data.
    from ...harness.labelling.weights import FLAT_CV, flat_in_words

    if spec.arm.even or (spec.scheme is None and (weights == 1).all()):
        return ""
    cv = float(weights.std() / weights.mean())
    return flat_in_words(spec.name, cv) if cv < FLAT_CV else ""


def arm_levels(spec: ArmSpec, train: pd.DataFrame, seed: int) -> Rows | None:
    """The level of each row by which stages are cut, shape (n,); None for the arms that show all rows in the order
    that arms share.

    Raises:
        UserError: a row lacks what the arm needs.
        ValueError: the arm does not give one level a row.
    """
    _demand(spec, train)
    levels = spec.arm.levels(train, seed)
    if levels is not None and levels.shape != (len(train),):
        raise ValueError(f"arm {spec.arm.name!r} gives levels of shape {levels.shape} for {len(train)} rows")
    return levels


def scaled_to_mean_one(weights: Floats, lengths: npt.NDArray[np.int64]) -> Floats:
    """Weights (n,) divided by their mean over answer tokens, for lengths (n,) in tokens."""
    scaled: Floats = weights * (lengths.sum() / (weights * lengths).sum())
    return scaled


def _demand(spec: ArmSpec, train: pd.DataFrame) -> None:
    if Needs.PROBABILITIES in spec.arm.uses:
        unknown = np.isnan(probabilities(train)).any(axis=1)
        if unknown.any():
            row = train["id"].iloc[int(unknown.argmax())]
            raise UserError(
                f"{unknown.sum():,} of {len(train):,} training rows have no severity probabilities (first: "
                f"{row!r}) but arm {spec.name!r} needs them",
                _LABEL,
            )
    if Needs.SEVERITIES in spec.arm.uses and train["severity"].isna().any():
        row = train.loc[train["severity"].isna(), "id"].iloc[0]
        raise UserError(f"training row {row!r} has no severity, which arm {spec.name!r} needs", _LABEL)
