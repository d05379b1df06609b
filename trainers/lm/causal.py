"""A causal language model whose forward pass returns the weighted loss instead of logits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from ..losses.token_loss import TokenLoss, cross_entropy
from ..losses.weighted import weighted_loss
from .head_check import check_head
from .stock import causal_model, without_head


@contextmanager
def weighted_forward(model: Any, token_loss: TokenLoss = cross_entropy) -> Iterator[None]:
    """Inside, ``model(input_ids, attention_mask, labels, coefficients)`` returns a dict with the scalar ``loss``
    (the numerator ``Σ c·loss(nll)``) and ``example_nll`` (B,); and ``auxiliary``, a scalar, where the model's own
    forward pass adds something to its loss, such as the balance of a mixture's routers.

    The model itself computes the loss, so that what wraps it (DDP, FSDP, an adapter, autocast) sees one forward
    pass through all parameters.

    Raises:
        UserError: as ``check_head``.
    """
    causal, found = causal_model(model), check_head(model)
    head, stock = causal.get_output_embeddings(), causal.forward
    vocabulary = int(getattr(head, "out_features", causal.get_input_embeddings().weight.shape[0]))

    def forward(input_ids: Tensor, attention_mask: Tensor, labels: Tensor, coefficients: Tensor, **_: Any) -> Any:
        passed = without_head(
            stock,
            causal,
            coefficients.new_zeros(1, 1, vocabulary),
            labels if found.takes_labels else None,
            input_ids=input_ids,
            attention_mask=attention_mask,
        )
        loss = weighted_loss(passed.hidden, head, labels, coefficients, token_loss, found.shaping)
        added = passed.auxiliary
        more = {} if added is None or not added.requires_grad else {"auxiliary": added}
        return {"loss": loss.total, "example_nll": loss.example_nll, **more}

    causal.forward = forward
    try:
        yield
    finally:
        del causal.forward
