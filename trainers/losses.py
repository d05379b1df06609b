"""Token cross-entropy over the answers, weighted per example, without ever holding the full logits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
import torch.utils.checkpoint
from torch import Tensor

from .encoding import IGNORED

_CHUNK_ELEMENTS = 2**26
"""Logits alive at once: 256 MB in float32, whatever the vocabulary."""


class LossMode(StrEnum):
    """How an example's weight enters the loss.

    Let W be the accumulation window over all processes, ``w_i`` the weight of example i, ``n_i`` its answer's length
    in tokens (eos included) and ``nll_it`` the negative log-likelihood of its t-th answer token.

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
                return lengths.sum().double()
            case LossMode.WEIGHTS:
                return (weights.double() * lengths).sum()
            case LossMode.PAPER:
                return (lengths > 0).sum().double()


@dataclass(frozen=True)
class WeightedLoss:
    """``total``: scalar ``Σ_i c_i Σ_t nll_it``, to be divided by the window's denominator. ``example_nll``: (B,),
    unweighted sums over the answers, detached."""

    total: Tensor
    example_nll: Tensor


def answer_lengths(labels: Tensor) -> Tensor:
    """Learned positions of each example, (B,), for labels (B, T): the first position predicts nothing."""
    return (labels[:, 1:] != IGNORED).sum(dim=1)


def weighted_loss(hidden: Tensor, head: torch.nn.Module, labels: Tensor, coefficients: Tensor) -> WeightedLoss:
    """Weighted negative log-likelihood of the labels.

    Only the hidden states that predict a label reach the language-model head, a chunk at a time.

    Args:
        hidden: last hidden states, (B, T, H).
        head: the language-model head, H to V.
        labels: (B, T), not shifted, ``IGNORED`` where nothing is learned.
        coefficients: (B,), one factor per example.
    """
    targets = labels[:, 1:]
    example, position = (targets != IGNORED).nonzero(as_tuple=True)
    picked, targets = hidden[example, position], targets[example, position]
    factors = coefficients.float()[example]
    if type(head) is torch.nn.Linear:
        total, nll = _LinearNLL.apply(picked, head.weight, head.bias, targets, factors)
    else:
        total, nll = _any_head_nll(picked, head, targets, factors)
    sums = torch.zeros(len(labels), dtype=torch.float32, device=nll.device)
    return WeightedLoss(total, sums.index_add_(0, example, nll.detach()))


def _chunk_rows(vocabulary: int) -> int:
    return max(64, _CHUNK_ELEMENTS // vocabulary)


class _LinearNLL(torch.autograd.Function):
    """``Σ_n f_n·nll_n`` through a linear head, its gradients computed chunk by chunk in the forward pass.

    Each chunk's logits become their own gradient in place, so nothing of size (N, V) outlives its chunk and nothing
    is computed twice.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, factors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """hidden (N, H), weight (V, H), bias (V,) or None, targets (N,), factors (N,) → scalar, nll (N,)."""
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        nll = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        grad_hidden = torch.empty_like(hidden) if needs_hidden else None
        grad_weight = torch.zeros_like(weight) if needs_weight else None
        grad_bias = torch.zeros_like(bias) if bias is not None and needs_bias else None
        with torch.autocast(device, enabled=False):
            matrix = weight.to(dtype)
            for start in range(0, len(hidden), _chunk_rows(len(weight))):
                part = slice(start, start + _chunk_rows(len(weight)))
                rows, target = hidden[part].to(dtype), targets[part, None]
                scores = torch.nn.functional.linear(rows, matrix, None if bias is None else bias.to(dtype)).float()
                scores -= scores.amax(dim=1, keepdim=True)
                right = scores.gather(1, target)
                total = scores.exp_().sum(dim=1, keepdim=True)
                nll[part] = (total.log() - right).squeeze(1)
                if not any(ctx.needs_input_grad[:3]):
                    continue
                factor = factors[part, None]
                scores *= factor / total
                scores.scatter_add_(1, target, -factor)
                gradient = scores.to(dtype)
                if grad_hidden is not None:
                    grad_hidden[part] = gradient @ matrix
                if grad_weight is not None:
                    _add_product(grad_weight, gradient.T, rows)
                if grad_bias is not None:
                    grad_bias += scores.sum(dim=0)
        ctx.save_for_backward(grad_hidden, grad_weight, grad_bias)
        ctx.mark_non_differentiable(nll)
        return (nll * factors).sum(), nll

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Scale what the forward pass computed, in place, by the gradient of the scalar: good for one call."""
        return (*(None if saved is None else saved.mul_(upstream[0]) for saved in ctx.saved_tensors), None, None)


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """``total += left @ right``, without a temporary where the types agree."""
    if total.dtype == left.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right


def _any_head_nll(hidden: Tensor, head: torch.nn.Module, targets: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    """The same for a head of any kind (quantised, with an adapter): logits are computed again for the gradient."""

    def of_chunk(rows: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(head(rows).float(), target, reduction="none")

    size = _chunk_rows(int(getattr(head, "out_features", 2**17)))
    parts = [
        torch.utils.checkpoint.checkpoint(of_chunk, rows, target, use_reentrant=False)
        for rows, target in zip(hidden.split(size), targets.split(size), strict=True)
    ]
    nll = torch.cat(parts)
    return (nll * factors).sum(), nll
