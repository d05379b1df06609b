"""Texts as vectors: the mean of an encoder's last layer over the tokens of each text, of length 1."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...core.errors import UserError
from ...core.library_bars import without_library_bars

Vectors = npt.NDArray[np.float64]
_BATCH = 32


class TextEncoder:
    """A frozen encoder.

    Args:
        base: its folder or hub id, ``revision`` that of a hub id.
        prefix: what is put before every text, as its training had it (``query: `` for e5).
        max_length: tokens at which a text is cut, prefix and ends included.

    Raises:
        UserError: it cannot be loaded, is no safetensors, or lacks weights.
    """

    def __init__(self, base: str, revision: str | None, prefix: str, max_length: int) -> None:
        self.base, self.prefix = base, prefix
        self.network, self.tokenizer = _load(base, revision)
        positions = getattr(self.network.config, "max_position_embeddings", None) or max_length
        # RoBERTa's positions begin after the padding's.
        reserved = (self.network.config.pad_token_id or 0) + 1 if "roberta" in self.network.config.model_type else 0
        self.max_length = min(max_length, positions - reserved)

    @cached_property
    def sha256(self) -> str:
        """Digest of weights and tokenizer, wherever they were loaded from."""
        digest = hashlib.sha256()
        for key, tensor in sorted(self.network.state_dict().items()):
            # A pooler that the checkpoint lacks is drawn at random, and not used.
            if not key.startswith("pooler."):
                digest.update(key.encode())
                digest.update(tensor.detach().cpu().contiguous().float().numpy().tobytes())
        for token, number in sorted(self.tokenizer.get_vocab().items()):
            digest.update(f"{token} {number}\n".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str], progress: Callable[[int], None] = lambda rows: None) -> Vectors:
        """Shape (n, width), in the texts' order."""
        width = int(self.network.config.hidden_size)
        result = np.zeros((len(texts), width))
        # Texts of like length share a batch, so that little padding is computed.
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            batch = self.tokenizer(
                [self.prefix + texts[at] for at in rows],
                padding=True,
                truncation=True,
                max_length=self.max_length,
                return_tensors="pt",
            ).to(self.network.device)
            hidden = self.network(**batch).last_hidden_state.float()
            mask = batch["attention_mask"][..., None].float()
            mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
            result[rows] = torch.nn.functional.normalize(mean, dim=1).double().cpu().numpy()
            progress(len(rows))
        return result


def _load(base: str, revision: str | None) -> tuple[Any, Any]:
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    level = logging.get_verbosity()
    # Its report on heads that an encoder does not need; missing weights are looked for below.
    logging.set_verbosity_error()
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, revision=revision)
        with without_library_bars():
            network, report = AutoModel.from_pretrained(
                base, revision=revision, dtype=torch.float32, use_safetensors=True, output_loading_info=True
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(
            f"cannot load the encoder {base!r}: {reason}",
            "Give --base a local folder with safetensors or a hub id that can be reached",
        ) from error
    finally:
        logging.set_verbosity(level)
    if missing := sorted(key for key in report["missing_keys"] if not key.startswith("pooler.")):
        raise UserError(f"the encoder {base} lacks the weights {missing[0]} and others", "Give --base a whole one")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return network.to(device).eval(), tokenizer
