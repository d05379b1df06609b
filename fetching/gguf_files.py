"""What a GGUF file says of itself, and whether transformers can read it."""

from __future__ import annotations

import importlib.util
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..harness.core.errors import UserError

_DAMAGED = (ValueError, IndexError, KeyError, OSError, OverflowError, MemoryError, UnicodeDecodeError, struct.error)
_ARCHITECTURE = "general.architecture"
_NOT_CAUSAL = frozenset({"t5", "umt5", "general", "tokenizer"})
"""What transformers lists among the architectures and is an encoder with decoder, or no architecture."""


@dataclass(frozen=True)
class Header:
    """Single values of the metadata by key, tensors' numbers of weights by name, and the names of their types."""

    values: dict[str, Any]
    tensors: dict[str, int]
    types: frozenset[str]

    @property
    def architecture(self) -> str:
        """As llama.cpp calls it."""
        return str(self.values[_ARCHITECTURE])

    @property
    def weights(self) -> int:
        """Number of weights."""
        return sum(self.tensors.values())

    @property
    def adds_start(self) -> bool | None:
        """Whether texts are to begin with the start token; None where the file does not say."""
        return self.values.get("tokenizer.ggml.add_bos_token")


def demand_gguf() -> None:
    """Raises:
    UserError: the package that reads GGUF files is not installed.
    """
    if importlib.util.find_spec("gguf") is None:
        raise UserError(
            "reading GGUF files needs the package gguf", 'Install it: pip install "maqa-severity[fetch]"'
        )


def read_header(path: Path) -> Header:
    """Read a file's metadata, and see that transformers can read its architecture and its types of weights.

    Raises:
        UserError: it is no GGUF file, ends too soon, or is of an architecture or quantisation that cannot be read.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
        values = {name: field.contents() for name, field in reader.fields.items() if len(field.data) == 1}
        kinds = {tensor.tensor_type for tensor in reader.tensors}
        header = Header(
            values,
            {tensor.name: math.prod(int(size) for size in tensor.shape) for tensor in reader.tensors},
            frozenset(kind.name for kind in kinds),
        )
        architecture = header.architecture
    except _DAMAGED as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{path} cannot be read as GGUF: {reason}", "Download it again") from error
    # llama.cpp writes gpt-oss and qwen3moe, transformers gpt_oss and qwen3_moe.
    spellings = {architecture, architecture.replace("-", "_"), re.sub("moe$", "_moe", architecture)}
    if not spellings & (known := readable()):
        raise UserError(
            f"{path} is of the architecture {architecture}, of which transformers reads no causal model from GGUF",
            f"Take a model of one of: {', '.join(sorted(known))}",
        )
    if unread := sorted(kind.name for kind in kinds if not _can_dequantise(kind)):
        raise UserError(
            f"{path} has weights of the type {unread[0]}, which cannot be dequantised",
            "Take the same model in another quantisation, such as Q4_K_M, Q8_0 or F16",
        )
    return header


def readable() -> set[str]:
    """The architectures of which the installed transformers reads causal language models, as it calls them."""
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    return {*GGUF_SUPPORTED_ARCHITECTURES, *_newer_readers()} - _NOT_CAUSAL


def not_taken_over(header: Header, head_dim: int | None) -> list[str]:
    """Settings of the architecture that transformers does not look at, by key; a head's length is none where the
    model that came of it has the same."""
    from transformers.modeling_gguf_pytorch_utils import GGUF_TO_TRANSFORMERS_MAPPING

    architecture = header.architecture
    if architecture in _newer_readers():
        return []
    known = {*GGUF_TO_TRANSFORMERS_MAPPING["config"].get(architecture, {})}
    prefix = f"{architecture}."
    lengths = {f"attention.{name}_length" for name in ("key", "value")}
    known |= {name for name in lengths if header.values.get(prefix + name) == head_dim}
    return sorted(key for key in header.values if key.startswith(prefix) and key.removeprefix(prefix) not in known)


def _newer_readers() -> set[str]:
    # The reader that is to replace the older one, which transformers has from 5.19 on.
    if importlib.util.find_spec("transformers.integrations.gguf") is None:
        return set()
    from transformers.integrations.gguf import GGUF_ARCHS

    return set(GGUF_ARCHS)


def _can_dequantise(kind: Any) -> bool:
    from gguf import GGML_QUANT_SIZES, dequantize

    block_bytes = GGML_QUANT_SIZES[kind][1]
    as_stored: dict[str, Callable[[], Any]] = {
        "F32": lambda: np.zeros(1, np.float32),
        "F16": lambda: np.zeros(1, np.float16),
    }
    block = as_stored.get(kind.name, lambda: np.zeros((1, block_bytes), np.uint8))()
    try:
        dequantize(block, kind)
    except NotImplementedError:
        return False
    return True
