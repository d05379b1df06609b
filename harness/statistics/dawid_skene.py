"""What several labellers say together: majority, and maximum likelihood of their errors (Dawid and Skene 1979)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .agreement import Codes
from .bootstrap import Floats

_ROUNDS = 500
_CLOSE = 1e-8


@dataclass(frozen=True)
class Errors:
    """How often each labeller says what of which truth.

    Attributes:
        prevalence: of each class, shape (q,).
        confusion: probability that labeller k says j of a truth i, shape (k, q, q); rows sum to 1.
        rounds: of EM until the likelihood stood still.
    """

    prevalence: Floats
    confusion: Floats
    rounds: int

    def posterior(self, codes: Codes) -> Floats:
        """Probabilities of each class for votes of shape (n, k), -1 for none, shape (n, q); NaN without a vote."""
        return _posterior(codes, self.prevalence, self.confusion)[0]


def majority_shares(codes: Codes, values: int, doubt: float = 0.0) -> Floats:
    """Each class's share of the votes (n, k), with ``doubt`` votes more for every class, shape (n, values).

    NaN of a row without votes.
    """
    votes = np.stack([(codes == value).sum(axis=1) for value in range(values)], axis=1).astype(np.float64)
    voted = votes.sum(axis=1, keepdims=True)
    shares: Floats = np.where(voted > 0, (votes + doubt) / (voted + values * doubt + (voted == 0)), np.nan)
    return shares


def dawid_skene(codes: Codes, values: int, prior: float = 1.0) -> Errors:
    """The labellers' errors and the prevalence of classes, by EM from majority votes, without any truth.

    Dawid and Skene 1979 (Applied Statistics 28:20-28, doi 10.2307/2346806). Each row of a confusion matrix has a
    Dirichlet prior whose pseudo-votes, ``prior`` in all, lie on the diagonal and, half as many a step, off it: on
    an ordinal scale a labeller errs by one class before two. That keeps rows of classes that hardly occur in their
    place, and the classes from being renamed; with many rows it does not matter. ``prior=0`` is the published
    estimate.

    Args:
        codes: votes, shape (n, k), -1 where a labeller gave none; complaints without any are left out.
        values: how many classes there are, in order.
    """
    voted = codes[(codes >= 0).any(axis=1)]
    # Equal rows of votes have equal posteriors: there are far fewer kinds than rows.
    kinds, counts = np.unique(voted, axis=0, return_counts=True)
    steps = np.abs(np.arange(values)[:, None] - np.arange(values))
    pull = 0.5**steps
    pull = prior * pull / pull.sum(axis=1, keepdims=True)
    given = np.stack([kinds == value for value in range(values)], axis=2).astype(np.float64)
    truth = majority_shares(kinds, values)
    before, rounds = -np.inf, 0
    while rounds < _ROUNDS:
        rounds += 1
        weighed = truth * counts[:, None]
        prevalence = weighed.sum(axis=0) + prior / values
        prevalence = prevalence / prevalence.sum()
        confusion = np.einsum("ni,nkj->kij", weighed, given) + pull
        total = confusion.sum(axis=2, keepdims=True)
        confusion = np.divide(confusion, total, out=np.full_like(confusion, 1 / values), where=total > 0)
        truth, likelihoods = _posterior(kinds, prevalence, confusion)
        now = float(counts @ likelihoods)
        if abs(now - before) <= _CLOSE * max(1.0, abs(now)):
            break
        before = now
    return Errors(prevalence, confusion, rounds)


def _posterior(codes: Codes, prevalence: Floats, confusion: Floats) -> tuple[Floats, Floats]:
    """Posteriors (n, q) and log-likelihoods (n,) of votes; NaN and 0 without a vote."""
    with np.errstate(divide="ignore"):
        logs = np.log(confusion)
        joint = np.tile(np.log(prevalence), (len(codes), 1))
    for labeller in range(codes.shape[1]):
        said = codes[:, labeller] >= 0
        joint[said] += logs[labeller][:, codes[said, labeller]].T
    top = joint.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    shares = np.exp(joint - top)
    total = shares.sum(axis=1)
    silent: npt.NDArray[np.bool_] = np.all(codes < 0, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        posterior: Floats = np.where(silent[:, None], np.nan, shares / total[:, None])
        likelihood: Floats = np.where(silent, 0.0, np.log(total) + top[:, 0])
    return posterior, likelihood
