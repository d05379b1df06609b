"""How an encoder of any family is read at one of its layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ...core.errors import UserError

if TYPE_CHECKING:
    import torch

LAYER = "Name the layer with --bertscore-layer N (lm_eval: --metadata bertscore_layer=N, or MAQA_BERTSCORE_LAYER=N)"


def cut_off(network: Any, layer: int, source: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """What computes the output of ``layer``, counted from 1, as transformers has it in ``hidden_states[layer]``.

    Encoders built as BERT lose the layers above it and the pooler, so that nothing is computed in vain; any
    other family runs whole.

    Raises:
        UserError: there is no such layer, or the network is no stack of layers over one text.
    """
    layers_of(network, layer, source)
    stack = getattr(getattr(network, "encoder", None), "layer", None)
    if stack is None:
        return partial(_at, network, layer)
    network.encoder.layer = stack[:layer]
    network.pooler = None
    return partial(_last, network)


def layers_of(network: Any, layer: int, source: str) -> int:
    """How many layers a network has, of which ``layer`` is one.

    Raises:
        UserError: there is no such layer, or the network is no stack of layers over one text.
    """
    config = network.config
    count = getattr(config, "num_hidden_layers", None)
    if config.is_encoder_decoder or not isinstance(count, int):
        raise UserError(
            f"{source} ({config.model_type}) is no encoder of one text", "Pass one such as BERT or ModernBERT"
        )
    if not 1 <= layer <= count:
        raise UserError(f"encoder {source} has no layer {layer}", f"{LAYER} between 1 and {count}")
    return count


def every(network: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The outputs of all layers by one pass, shape (layers, texts, tokens, width)."""
    import torch

    states = network(ids, attention_mask=mask, output_hidden_states=True).hidden_states
    return torch.stack(tuple(states[1:]))


def _at(network: Any, layer: int, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    hidden: torch.Tensor = network(ids, attention_mask=mask, output_hidden_states=True).hidden_states[layer]
    return hidden


def _last(network: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    hidden: torch.Tensor = network(ids, attention_mask=mask)[0]
    return hidden
