"""Generation: fast, resumable, and never losing an answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import GenerationConfig, Kind
from .decoding import Decoding, Preset, decoding

if TYPE_CHECKING:
    from .stored import StoredModel

__all__ = ["Decoding", "GenerationConfig", "Kind", "Preset", "build_model", "decoding"]


def build_model(kind: str, model_args: dict[str, Any], *, store: Path, **settings: Any) -> StoredModel:
    """The model for ``lm_eval.simple_evaluate(model=...)``; ``settings``: more fields of ``GenerationConfig``.

    Raises:
        UserError: the model, or the data of ``nearest``, cannot be found.
    """
    from .stored import StoredModel

    settings.setdefault("decoding", decoding())
    return StoredModel(GenerationConfig(kind=Kind(kind), model_args=model_args, store=store, **settings))
