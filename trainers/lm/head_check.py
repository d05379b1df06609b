"""Whether a model can be trained by predicting each token from those before it, found out by asking the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ...harness.core.errors import UserError
from ..losses.logits import Shaping
from .stock import Pass, causal_model, without_head

_T = TypeVar("_T")
_TOKENS = 16
_CLOSE = 1e-3
_EXACT = 1e-6
"""Relative error of what is made of scores: some models round them to float32."""
_REMEDY = "Choose a decoder-only base, such as a Qwen, Llama or Gemma"


@dataclass(frozen=True)
class Head:
    """How a model's loss follows from its last hidden states: what it does with its head's scores, and whether its
    forward pass takes labels and adds a loss of its own."""

    shaping: Shaping
    takes_labels: bool


_KNOWN: WeakKeyDictionary[Any, Head] = WeakKeyDictionary()


def check_head(model: Any) -> Head:
    """Run the model on a few tokens and compare: its logits are its head's scores of the hidden states, scaled and
    capped at most; no token sees a later one; what it adds to its loss can be told apart. Done once for a model,
    which is in training mode afterwards.

    Raises:
        UserError: one of these does not hold, so the weighted loss would be another than the model's own.
    """
    causal = causal_model(model)
    if causal not in _KNOWN:
        _KNOWN[causal] = _checked(causal)
    return _KNOWN[causal]


def _checked(causal: Any) -> Head:
    name = type(causal).__name__
    head = causal.get_output_embeddings()
    if head is None:
        raise UserError(f"{name} has no language-model head", _REMEDY)
    embeddings = causal.get_input_embeddings()
    vocabulary = int(getattr(head, "out_features", embeddings.weight.shape[0]))
    context = getattr(causal.config, "max_position_embeddings", None)
    device = embeddings.weight.device
    tokens = _TOKENS if context is None or context < 1 else min(_TOKENS, context)
    ids = torch.arange(3, 3 + tokens, device=device)[None] % len(embeddings.weight)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    none = torch.zeros(1, 1, vocabulary, device=device)

    def run(scores: Tensor, labels: Tensor | None) -> Pass:
        return without_head(causal.forward, causal, scores, labels, **inputs)

    # Left in training, with equal dropout: in evaluation bitsandbytes packs its weights on a CPU for good.
    causal.train()
    with torch.random.fork_rng():
        takes_labels = _takes_labels(lambda: _drawn(lambda: run(none, ids)))
        labels = ids if takes_labels else None
        with torch.no_grad():
            stock = _tried(name, lambda: causal(**inputs, use_cache=False).logits)
            passed = _tried(name, lambda: run(none, labels))
            probes = _probes(ids.shape[1], vocabulary, device)
            shaping = _fitted(probes, _tried(name, lambda: run(probes, labels)).logits)
            scores: Tensor = head(passed.hidden) if passed.hidden.shape[:2] == ids.shape else stock[..., :0]
        if shaping is None or stock.shape != scores.shape or not _close(shaping(scores.float()), stock.float()):
            raise UserError(f"{name} changes its logits after the head, other than by a scale and a cap", _REMEDY)
        if not takes_labels:
            _demand_plain_loss(name, causal, inputs)
        if (seen := _tried(name, lambda: _looks_ahead(causal, embeddings, lambda: run(none, labels)))) is not None:
            raise UserError(
                f"{name} lets token {seen[0] + 1} see token {seen[1] + 1}, so it would learn to copy what it is to "
                "predict",
                _REMEDY,
            )
    return Head(shaping, takes_labels)


def _drawn(compute: Callable[[], _T]) -> _T:
    torch.manual_seed(0)
    return compute()


def _tried(name: str, compute: Callable[[], _T]) -> _T:
    try:
        return _drawn(compute)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        # Whatever its code stumbles over: it wants more than tokens, or does not work with this library.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"{name} cannot be trained on tokens alone: {reason}", _REMEDY) from error


def _takes_labels(run: Callable[[], Pass]) -> bool:
    """Whether the forward pass computes its loss by the loss function, so that it can be left out."""
    try:
        with torch.no_grad():
            passed = run()
    except torch.OutOfMemoryError:
        raise
    except Exception:
        # Losses written out in the forward pass need full logits.
        return False
    return passed.calls[1] == 1 and passed.auxiliary is not None


def _demand_plain_loss(name: str, causal: Any, inputs: dict[str, Tensor]) -> None:
    """Raises:
    UserError: the model's own loss is more than the likelihood of its labels.
    """
    ids = inputs["input_ids"]
    with torch.no_grad():
        output = _tried(name, lambda: causal(**inputs, labels=ids, use_cache=False))
    logits, loss = output.logits.float(), output.loss.float()
    shifted = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:])
    straight = torch.nn.functional.cross_entropy(logits[0], ids[0])
    if not any(torch.allclose(loss, plain, rtol=_CLOSE) for plain in (shifted, straight)):
        raise UserError(f"{name} adds something to its loss that cannot be told apart", _REMEDY)


def _probes(tokens: int, vocabulary: int, device: torch.device) -> Tensor:
    """Scores (1, T, V) of every size, the first and smallest of which are powers of two."""
    dtype = torch.float32 if device.type == "mps" else torch.float64
    sizes = torch.logspace(-30, 30, tokens, base=2.0, dtype=torch.float64)
    spread = torch.linspace(-1, 1, vocabulary, dtype=torch.float64)
    return (sizes[:, None] * spread)[None].to(device, dtype)


def _fitted(scores: Tensor, logits: Tensor) -> Shaping | None:
    """The scale and the cap by which scores (1, T, V) became logits; None where it was something else."""
    if scores.shape != logits.shape:
        return None
    scores, logits = scores.to("cpu", torch.float64), logits.to("cpu", torch.float64)
    # The smallest scores tell the scale, since no cap is near; the largest end at the cap.
    scale = float(logits[0, 0, -1] / scores[0, 0, -1])
    if not scale > 0:
        return None
    scale = 1.0 if abs(scale - 1) < _EXACT else scale
    most = float(logits[0, -1, -1])
    shaping = Shaping(scale, most if most < scale * float(scores[0, -1, -1]) / 2 else None)
    return shaping if torch.allclose(shaping(scores), logits, rtol=_EXACT, atol=0) else None


def _close(ours: Tensor, stock: Tensor) -> bool:
    return bool(torch.allclose(ours, stock, rtol=_CLOSE, atol=_CLOSE))


def _looks_ahead(causal: Any, embeddings: Any, run: Callable[[], Pass]) -> tuple[int, int] | None:
    """A token and a later one that it sees: by how its hidden state changes with that one's embedding, which is
    exactly 0 behind a causal mask, whatever the weights. None where there is no such pair."""
    leaves: list[Tensor] = []

    def cut(module: Any, args: Any, output: Tensor) -> Tensor:
        leaves.append(output.detach().requires_grad_())
        # Some models scale embeddings in place, which a leaf does not allow.
        return leaves[-1].clone()

    hook = embeddings.register_forward_hook(cut)
    try:
        with torch.enable_grad():
            hidden = run().hidden
    finally:
        hook.remove()
    if not leaves:
        raise ValueError("its embeddings are not asked for the tokens")
    tokens = hidden.shape[1]
    # Of any direction, since the sum of a normalised state never changes.
    direction = torch.randn(hidden.shape, generator=torch.Generator().manual_seed(0)).to(hidden)
    for last in sorted({0, tokens // 2, tokens - 2}):
        (slope,) = torch.autograd.grad(
            (hidden * direction)[:, : last + 1].sum(), leaves[0], retain_graph=True, allow_unused=True
        )
        if slope is not None and (later := slope[0, last + 1 :].abs().sum(dim=-1).nonzero()).numel():
            return last, last + 1 + int(later[0])
    return None
