"""Who can answer. Each line below declares what one file holds; their order is that of help texts and boards."""

# ruff: noqa: F401, I001
from . import hf
from . import vllm
from . import completions
from . import chat_completions
from . import floors
from .base import BACKENDS, HUB_TOKENS, Backend, backend, floor_names

__all__ = ["BACKENDS", "HUB_TOKENS", "Backend", "backend", "floor_names"]
