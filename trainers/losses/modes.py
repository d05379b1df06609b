"""How an example's weight enters the loss, and by what the loss of an accumulation window is divided."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class LossMode(StrEnum):
    """How an example's weight enters the loss.

    Let W be the accumulation window over all processes, ``w_i`` the weight of example i, ``n_i`` its answer's
    length in tokens (eos included) and ``nll_it`` the negative log-likelihood of its t-th answer token.

    ``tokens``
        ``Σ_i ŵ_i Σ_t nll_it / Σ_i n_i`` with ``ŵ = w / (Σ n·w / Σ n over the training set)``: scaled once, so that
        the token-weighted training mean of ŵ is 1 and learning rate and clipping mean the same in every arm. All
        weights equal: the plain token mean. Within a window, doubling ŵ_i doubles the gradient of example i.
    ``weights``
        ``Σ_i w_i Σ_t nll_it / Σ_i w_i·n_i``: self-normalised in each window. Doubling w_i multiplies the gradient
        of example i by ``2·D / (D + w_i·n_i)`` and every other one's by ``D / (D + w_i·n_i)``, D = ``Σ w·n``.
    ``paper``
        ``1/|W| Σ_i (1/n_i) Σ_t w_i·nll_it``: the severity-aware loss ``L_SA`` of arXiv 2604.06346 for each example,
        averaged over examples, weights as they are. Doubling w_i doubles the gradient of example i.
    """

    TOKENS = "tokens"
    WEIGHTS = "weights"
    PAPER = "paper"

    def coefficients(self, weights: Tensor, lengths: Tensor) -> Tensor:
        """Factor of each example's summed negative log-likelihood, shape (B,); ``lengths`` (B,) in tokens."""
        return weights / lengths.clamp(min=1) if self is LossMode.PAPER else weights

    def denominator(self, weights: Tensor, lengths: Tensor) -> Tensor:
        """The share of these examples, both (B,), in the window's denominator; a scalar, to be summed over W."""
        match self:
            case LossMode.TOKENS:
                return _wide(lengths).sum()
            case LossMode.WEIGHTS:
                return (_wide(weights) * lengths).sum()
            case LossMode.PAPER:
                return _wide(lengths > 0).sum()


def _wide(values: Tensor) -> Tensor:
    # Apple's GPUs have no float64.
    return values.float() if values.device.type == "mps" else values.double()
