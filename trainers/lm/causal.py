"""A causal language model whose forward pass returns the weighted loss instead of logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ...harness.core.errors import UserError
from ..losses.token_loss import TokenLoss, cross_entropy
from ..losses.weighted import weighted_loss


@contextmanager
def weighted_forward(model: Any, token_loss: TokenLoss = cross_entropy) -> Iterator[None]:
    """Inside, ``model(input_ids, attention_mask, labels, coefficients)`` returns a dict with the scalar ``loss``
    (the numerator ``Σ c·loss(nll)``) and ``example_nll`` (B,).

    The model itself computes the loss, so that what wraps it (DDP, FSDP, an adapter, autocast) sees one forward
    pass through all parameters. The model has passed ``check_head``.
    """
    causal = _causal_model(model)

    def forward(input_ids: Tensor, attention_mask: Tensor, labels: Tensor, coefficients: Tensor, **_: Any) -> Any:
        hidden = causal.base_model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False)[0]
        loss = weighted_loss(hidden, causal.get_output_embeddings(), labels, coefficients, token_loss)
        return {"loss": loss.total, "example_nll": loss.example_nll}

    causal.forward = forward
    try:
        yield
    finally:
        del causal.forward


def _causal_model(model: Any) -> Any:
    """The model under a peft wrapper."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def check_head(model: Any) -> None:
    """Compare the model's own logits with those of its head: soft-capping or scaling would be left out of the loss.
    The model is in training mode afterwards.

    Raises:
        UserError: the logits of this architecture are not simply its head applied to the last hidden states.
    """
    causal = _causal_model(model)
    remedy = "Choose a decoder-only model without scaling or soft-capping of its logits"
    name = type(causal).__name__
    head = causal.get_output_embeddings()
    if head is None or causal.base_model is causal:
        raise UserError(f"{name} has no language-model head on a separate decoder", remedy)
    embeddings = causal.get_input_embeddings()
    ids = torch.arange(8, device=embeddings.weight.device)[None] % len(embeddings.weight)

    def drawn(compute: Callable[[], Tensor]) -> Tensor:
        torch.manual_seed(0)
        return compute().float()

    # Left in training, with equal dropout: in evaluation bitsandbytes packs its weights on a CPU for good.
    causal.train()
    with torch.no_grad(), torch.random.fork_rng():
        logits = drawn(lambda: causal(input_ids=ids, use_cache=False).logits)
        ours = drawn(lambda: head(causal.base_model(input_ids=ids, use_cache=False)[0]))
    capped = getattr(causal.config, "final_logit_softcapping", None) is not None
    if capped or logits.shape != ours.shape or not torch.allclose(logits, ours, rtol=1e-3, atol=1e-3):
        raise UserError(f"{name} changes its logits after the head", remedy)
