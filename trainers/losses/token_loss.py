"""What the negative log-likelihood of one token counts for in the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

TokenLoss = Callable[["Tensor"], tuple["Tensor", "Tensor"]]
"""From ``nll`` (N,) to what each token counts for and its slope by ``nll``, both (N,); each token for itself, since
tokens come in chunks. The focal loss is ``(1-p)^γ·nll`` with ``p = exp(-nll)``."""

_POINTS = (0.003, 0.07, 0.31, 0.83, 1.7, 3.1, 6.7, 13.0)
_TOLERANCE = 1e-6


def cross_entropy(nll: Tensor) -> tuple[Tensor, Tensor]:
    """The likelihood as it is, slope 1."""
    return nll, nll.new_ones(nll.shape)


def check_slope(token_loss: TokenLoss) -> None:
    """Compare a token loss's slope with the derivative of its value.

    Raises:
        ValueError: they differ, so that the training would minimise something else than it logs.
    """
    import torch

    nll = torch.tensor(_POINTS, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        value, slope = token_loss(nll)
        (derivative,) = torch.autograd.grad(value.sum(), nll)
    given = slope.detach()
    if not torch.allclose(given, derivative, rtol=_TOLERANCE, atol=_TOLERANCE):
        worst = int((given - derivative).abs().argmax())
        raise ValueError(
            f"{getattr(token_loss, '__qualname__', token_loss)} gives the slope {float(given[worst]):.6g} at nll "
            f"{_POINTS[worst]}, where its value rises by {float(derivative[worst]):.6g}"
        )
