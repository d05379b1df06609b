"""Token cross-entropy over the answers, weighted per example, without ever holding the full logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.utils.checkpoint
from torch import Tensor

from ..lm.encoding import IGNORED
from .logits import PLAIN, Shaping
from .modes import LossMode
from .token_loss import TokenLoss, cross_entropy

__all__ = ["LossMode", "WeightedLoss", "answer_lengths", "weighted_loss"]

_CHUNK_ELEMENTS = 2**26
"""Logits alive at once: 256 MB in float32, whatever the vocabulary."""


@dataclass(frozen=True)
class WeightedLoss:
    """``total``: scalar ``Σ_i c_i Σ_t loss(nll_it)``, to be divided by the window's denominator. ``example_nll``:
    (B,), plain sums of the likelihood over the answers, detached."""

    total: Tensor
    example_nll: Tensor


def answer_lengths(labels: Tensor) -> Tensor:
    """Learned positions of each example, (B,), for labels (B, T): the first position predicts nothing."""
    return (labels[:, 1:] != IGNORED).sum(dim=1)


def weighted_loss(
    hidden: Tensor,
    head: torch.nn.Module,
    labels: Tensor,
    coefficients: Tensor,
    token_loss: TokenLoss = cross_entropy,
    shaping: Shaping = PLAIN,
) -> WeightedLoss:
    """Weighted negative log-likelihood of the labels, or what a token loss makes of it.

    Only the hidden states that predict a label reach the language-model head, a chunk at a time.

    Args:
        hidden: last hidden states, (B, T, H).
        head: the language-model head, H to V.
        labels: (B, T), not shifted, ``IGNORED`` where nothing is learned.
        coefficients: (B,), one factor per example.
        token_loss: what each token's likelihood counts for.
        shaping: what the model makes of the head's scores.
    """
    targets = labels[:, 1:]
    example, position = (targets != IGNORED).nonzero(as_tuple=True)
    picked, targets = hidden[example, position], targets[example, position]
    factors = coefficients.to(_wide(hidden.dtype))[example]
    if type(head) is torch.nn.Linear:
        total, nll = _linear_nll(picked, head.weight, head.bias, targets, factors, token_loss, shaping)
    else:
        total, nll = _any_head_nll(picked, head, targets, factors, token_loss, shaping)
    sums = torch.zeros(len(labels), dtype=nll.dtype, device=nll.device)
    return WeightedLoss(total, sums.index_add_(0, example, nll.detach()))


def _wide(dtype: torch.dtype) -> torch.dtype:
    """What sums and likelihoods are kept in: float32 at least."""
    return torch.promote_types(dtype, torch.float32)


def _chunk_rows(vocabulary: int) -> int:
    return max(64, _CHUNK_ELEMENTS // vocabulary)


class _LinearNLL(torch.autograd.Function):
    """``Σ_n f_n·loss(nll_n)`` through a linear head, its gradients computed chunk by chunk in the forward pass.

    Each chunk's logits become their own gradient in place, so nothing of size (N, V) outlives its chunk and nothing
    is computed twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        factors: Tensor,
        token_loss: TokenLoss = cross_entropy,
        shaping: Shaping = PLAIN,
    ) -> tuple[Tensor, Tensor]:
        """hidden (N, H), weight (V, H), bias (V,) or None, targets (N,), factors (N,) → scalar, nll (N,)."""
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        wide = _wide(dtype)
        nll = torch.empty(len(hidden), dtype=wide, device=hidden.device)
        grad_hidden = torch.empty_like(hidden) if needs_hidden else None
        grad_weight = torch.zeros_like(weight) if needs_weight else None
        grad_bias = torch.zeros_like(bias) if bias is not None and needs_bias else None
        with torch.autocast(device, enabled=False):
            matrix = weight.to(dtype)
            for start in range(0, len(hidden), _chunk_rows(len(weight))):
                part = slice(start, start + _chunk_rows(len(weight)))
                rows, target = hidden[part].to(dtype), targets[part, None]
                scores = torch.nn.functional.linear(rows, matrix, None if bias is None else bias.to(dtype)).to(wide)
                scores, rise = shaping.apply_(scores)
                scores -= scores.amax(dim=1, keepdim=True)
                right = scores.gather(1, target)
                total = scores.exp_().sum(dim=1, keepdim=True)
                nll[part] = (total.log() - right).squeeze(1)
                if not any(ctx.needs_input_grad[:3]):
                    continue
                factor = (factors[part] * token_loss(nll[part])[1])[:, None]
                scores *= factor / total
                scores.scatter_add_(1, target, -factor)
                if rise is not None:
                    scores *= rise
                if shaping.scale != 1:
                    scores *= shaping.scale
                gradient = scores.to(dtype)
                if grad_hidden is not None:
                    grad_hidden[part] = gradient @ matrix
                if grad_weight is not None:
                    _add_product(grad_weight, gradient.T, rows)
                if grad_bias is not None:
                    grad_bias += scores.sum(dim=0)
        ctx.save_for_backward(grad_hidden, grad_weight, grad_bias)
        ctx.mark_non_differentiable(nll)
        return (token_loss(nll)[0] * factors).sum(), nll

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Scale what the forward pass computed, in place, by the gradient of the scalar: good for one call."""
        found = (None if saved is None else saved.mul_(upstream[0]) for saved in ctx.saved_tensors)
        return (*found, None, None, None, None)


_linear_nll: Callable[..., tuple[Tensor, Tensor]] = _LinearNLL.apply  # type: ignore[assignment]


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """``total += left @ right``, without a temporary where the types agree."""
    if total.dtype == left.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right


def _any_head_nll(
    hidden: Tensor, head: torch.nn.Module, targets: Tensor, factors: Tensor, token_loss: TokenLoss, shaping: Shaping
) -> tuple[Tensor, Tensor]:
    """The same for a head of any kind (quantised, with an adapter): logits are computed again for the gradient."""

    def of_chunk(rows: Tensor, target: Tensor) -> Tensor:
        scores: Tensor = head(rows)
        return torch.nn.functional.cross_entropy(shaping(scores.to(_wide(scores.dtype))), target, reduction="none")

    size = _chunk_rows(int(getattr(head, "out_features", 2**17)))
    parts = [
        torch.utils.checkpoint.checkpoint(of_chunk, rows, target, use_reentrant=False)
        for rows, target in zip(torch.split(hidden, size), torch.split(targets, size), strict=True)
    ]
    nll = torch.cat(parts)
    value, slope = token_loss(nll.detach())
    # The value, with the slope for its gradient: as above, whatever the token loss is made of.
    return ((value + slope * (nll - nll.detach())) * factors).sum(), nll
