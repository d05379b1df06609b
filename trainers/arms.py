"""The arms of the comparison: which weight each training example gets, and from what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..harness.errors import UserError
from ..harness.severity import PROBABILITY_COLUMNS, SCHEMES, SEVERITIES, Weights, parse_weights

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

DEFAULT_SCHEME = "balanced"
_LABEL = "Label the dataset with `maqa label DATASET --with rules`"


class Arm(StrEnum):
    """One arm of an experiment.

    ``base`` is not trained at all; ``ce`` is plain cross-entropy; ``severity`` weights each example by
    ``w = α·p_nc + β·p_n + γ·p_c`` (arXiv 2604.06346); ``curriculum`` weights nothing and shows the examples in
    cumulative stages from non-critical to all (arXiv 2604.06365). The controls: ``constant`` gives every example
    the mean of those weights, ``shuffled`` the same weights in random order, ``hard`` the weight of the likeliest
    severity, ties going to the graver one.
    """

    BASE = "base"
    CE = "ce"
    SEVERITY = "severity"
    CURRICULUM = "curriculum"
    CONSTANT = "constant"
    SHUFFLED = "shuffled"
    HARD = "hard"

    @property
    def weighted(self) -> bool:
        """Whether the arm has a weighting scheme."""
        return self in (Arm.SEVERITY, Arm.CONSTANT, Arm.SHUFFLED, Arm.HARD)


@dataclass(frozen=True)
class ArmSpec:
    """An arm with its scheme: a scheme's name, or ``α,β,γ`` as given; None for the arms without weights."""

    arm: Arm
    scheme: str | None = None

    @classmethod
    def of(cls, arm: Arm, scheme: str | None = None, weights: str | None = None) -> ArmSpec:
        """The arm as asked for; ``balanced`` where an arm needs a scheme and none is named.

        Raises:
            UserError: both scheme and weights are given, the arm has no weights, or they cannot be read.
        """
        if scheme is not None and weights is not None:
            raise UserError("--scheme and --weights exclude each other", "Give one of them")
        given = scheme if scheme is not None else weights
        if not arm.weighted:
            if given is not None:
                raise UserError(
                    f"arm {str(arm)!r} has no weights, but {given!r} was given", "Leave the weights out"
                )
            return cls(arm)
        if scheme is not None and scheme not in SCHEMES:
            raise UserError(f"unknown weighting scheme {scheme!r}", f"Use one of: {', '.join(SCHEMES)}")
        chosen = DEFAULT_SCHEME if given is None else given
        parse_weights(chosen)
        return cls(arm, chosen)

    @property
    def name(self) -> str:
        """Name of the arm's checkpoint: ``ce``, ``severity-balanced``, ``shuffled-0.5,1,1.5``."""
        return str(self.arm) if self.scheme is None else f"{self.arm}-{self.scheme}"

    @property
    def weights(self) -> Weights | None:
        """α, β and γ, where the arm has them."""
        return None if self.scheme is None else parse_weights(self.scheme)


def arm_weights(spec: ArmSpec, train: pd.DataFrame, seed: int) -> Floats:
    """The weight of each training example, shape (n,), before any scaling; ones for the arms without weights.

    Raises:
        UserError: a row has no probabilities but the arm needs them, or the weights are negative, not finite or all
            zero.
    """
    scheme = spec.weights
    if scheme is None:
        return np.ones(len(train))
    weights = scheme.of(_probabilities(spec, train))
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise UserError(
            f"the weights of arm {spec.name!r} must be finite, not negative and not all zero",
            "Choose other --weights, or label the dataset again",
        )
    match spec.arm:
        case Arm.CONSTANT:
            return np.full(len(train), weights.mean())
        case Arm.SHUFFLED:
            return np.random.default_rng([seed, len(train)]).permutation(weights)
        case _:
            return weights


def scaled_to_mean_one(weights: Floats, lengths: npt.NDArray[np.int64]) -> Floats:
    """Weights (n,) divided by their mean over answer tokens, for lengths (n,) in tokens."""
    scaled: Floats = weights * (lengths.sum() / (weights * lengths).sum())
    return scaled


def curriculum_stages(train: pd.DataFrame) -> list[npt.NDArray[np.int64]]:
    """Row numbers of each stage: non-critical, then neutral as well, then all; a stage that adds nothing is left
    out.

    Raises:
        UserError: a row has no severity.
    """
    if train["severity"].isna().any():
        row = train.loc[train["severity"].isna(), "id"].iloc[0]
        raise UserError(f"training row {row!r} has no severity, which arm 'curriculum' needs", _LABEL)
    ranks = train["severity"].map({str(severity): severity.rank for severity in SEVERITIES}).to_numpy()
    return [np.flatnonzero(ranks <= rank) for rank in range(3) if (ranks == rank).any()]


def _probabilities(spec: ArmSpec, train: pd.DataFrame) -> Floats:
    probabilities: Floats = train[list(PROBABILITY_COLUMNS)].to_numpy(np.float64)
    unknown = np.isnan(probabilities).any(axis=1)
    if unknown.any():
        row = train["id"].iloc[int(unknown.argmax())]
        raise UserError(
            f"{unknown.sum():,} of {len(train):,} training rows have no severity probabilities (first: {row!r}) "
            f"but arm {spec.name!r} needs them",
            _LABEL,
        )
    if spec.arm is not Arm.HARD:
        return probabilities
    likeliest = 2 - probabilities[:, ::-1].argmax(axis=1)
    hard: Floats = np.eye(3)[likeliest]
    return hard
