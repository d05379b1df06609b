"""An arm as asked for, and what it makes of the training rows."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...harness.core.errors import UserError
from ...harness.severity import MOST, SCHEMES, Weights, parse_weights
from ..losses.token_loss import TokenLoss
from .base import ARMS, Arm, Floats, Needs, Rows, probabilities

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SCHEME = "balanced"
MOST_GAMMA = 10.0
_LABEL = "Label the dataset with `maqa label DATASET --with rules`"
_EVEN = Weights(1.0, 1.0, 1.0)
SAME_CV = 0.02
"""Below this coefficient of variation weights are taken for equal: chance in the order moves the loss by more."""


@dataclass(frozen=True)
class ArmSpec:
    """An arm with its scheme: a scheme's name, or ``α,β,γ`` as given; the ``gamma`` of an arm that takes one; None
    for the others."""

    arm: Arm
    scheme: str | None = None

    @classmethod
    def of(
        cls, name: str, scheme: str | None = None, weights: str | None = None, gamma: float | None = None
    ) -> ArmSpec:
        """The arm as asked for; ``balanced`` where an arm needs a scheme and none is named, its own ``gamma`` where
        it takes one.

        Raises:
            UserError: nobody knows the arm, both scheme and weights are given, the arm has no weights or no gamma,
                or they cannot be read.
        """
        arm = ARMS[name]
        if Needs.GAMMA not in arm.uses and gamma is not None:
            raise UserError(f"arm {name!r} has no gamma, but {gamma:g} was given", "Leave gamma out")
        if scheme is not None and weights is not None:
            raise UserError("--scheme and --weights exclude each other", "Give one of them")
        given = scheme if scheme is not None else weights
        if Needs.SCHEME not in arm.uses:
            if given is not None:
                raise UserError(f"arm {name!r} has no weights, but {given!r} was given", "Leave the weights out")
            return cls(arm, f"{_checked(arm, gamma):g}" if Needs.GAMMA in arm.uses else None)
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
        return parse_weights(self.scheme) if self.scheme and Needs.SCHEME in self.arm.uses else None

    @property
    def gamma(self) -> float | None:
        """The strength of its token loss, where the arm has one."""
        return float(self.scheme) if self.scheme and Needs.GAMMA in self.arm.uses else None

    @property
    def token_loss(self) -> TokenLoss:
        """What each token's negative log-likelihood counts for."""
        if self.gamma is None:
            return self.arm.token_loss
        strong = copy(self.arm)
        strong.gamma = self.gamma
        return strong.token_loss


def _checked(arm: Arm, gamma: float | None) -> float:
    if gamma is not None and not 0 <= gamma <= MOST_GAMMA:
        raise UserError(f"gamma is {gamma:g}", f"Give a number from 0 (plain cross-entropy) to {MOST_GAMMA:g}")
    return arm.gamma if gamma is None else gamma


def arm_weights(spec: ArmSpec, train: pd.DataFrame, seed: int) -> Floats:
    """The weight of each training example, shape (n,), before any scaling; ones for the arms without weights.

    Raises:
        UserError: a row lacks what the arm needs, or the weights are negative, not finite, absurdly large or all
            zero.
        ValueError: the arm does not give one weight a row.
    """
    _demand(spec, train)
    return _sound(spec, train, spec.arm.weights(train, spec.weights or _EVEN, seed), "weights")


def arm_shares(spec: ArmSpec, train: pd.DataFrame, seed: int) -> Floats | None:
    """In proportion to what each training example is shown, shape (n,); None where all are shown equally often, or
    nearly.

    Raises:
        UserError, ValueError: as ``arm_weights``.
    """
    _demand(spec, train)
    shares = spec.arm.shares(train, spec.weights or _EVEN, seed)
    if shares is None:
        return None
    shares = _sound(spec, train, shares, "shares")
    return None if nearly_even(shares) else shares


def arm_pace(spec: ArmSpec, train: pd.DataFrame, seed: int) -> Floats | None:
    """The weights whose updates' length the learning rate is fitted to, shape (n,); None where it is as set, also
    because they hardly differ.

    Raises:
        UserError, ValueError: as ``arm_weights``.
    """
    _demand(spec, train)
    pace = spec.arm.paced_by(train, spec.weights or _EVEN, seed)
    if pace is None:
        return None
    pace = _sound(spec, train, pace, "weights of the pace")
    return None if nearly_even(pace) else pace


def nearly_even(weights: Floats) -> bool:
    """Whether weights (n,) differ so little that they make no other training than equal ones do."""
    return float(weights.std()) < SAME_CV * float(weights.mean())


def _sound(spec: ArmSpec, train: pd.DataFrame, given: Floats, what: str) -> Floats:
    values = np.asarray(given, np.float64)
    if values.shape != (len(train),):
        raise ValueError(f"arm {spec.arm.name!r} gives {what} of shape {values.shape} for {len(train)} rows")
    if not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise UserError(
            f"the {what} of arm {spec.name!r} must be finite, not negative and not all zero",
            "Choose other --weights, or label the dataset again",
        )
    worst = int(values.argmax())
    if values[worst] > MOST or values.mean() < 1 / MOST:
        raise UserError(
            f"the {what} of arm {spec.name!r} are absurd: {values[worst]:.6g} of training row "
            f"{train['id'].iloc[worst]!r}, {values.mean():.6g} in the mean",
            f"Give {what} of about 1, none above {MOST:,.0f}",
        )
    return values


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
