"""What changes an answer, spelled out: the weights by their hash, the arguments, the decoding, the backend."""

from __future__ import annotations

import importlib.metadata
import os
from typing import Any

from ..backends import Backend
from ..checkpoints import loadable
from ..config import GenerationConfig
from ..weights import weights

_FORMAT = 3
"""Counts up when the same settings come to give another text. From 2 on ``endings`` says what the answer is,
from 3 on marks end it in other spellings too."""
_IN_SUBFOLDER = ("pretrained", "tokenizer")
"""Arguments whose files lie in the argument ``subfolder`` of what they name."""


def identity(config: GenerationConfig) -> dict[str, Any]:
    """Everything that changes an answer, JSON-ready: two equal identities give equal answers.

    A model in a folder counts by the digest of its files, not by its path; one of the hub by its commit; an adapter
    by its own digest and its base's. The prompt is not here but in each answer's key, and it carries the chat
    template's text.

    Raises:
        UserError: the model, or the dataset of ``nearest``, cannot be found.
    """
    backend = config.backend
    runtime, loaded = backend.runtime_args or {}, loadable(config)
    given = loaded.arguments
    arguments = {name: value for name, value in sorted(given.items()) if name not in runtime}
    if "revision" not in config.model_args:
        # That of a checkpoint's base, which counts by its weights.
        arguments.pop("revision", None)
    for name in backend.weights:
        if isinstance(arguments.get(name), str):
            inner = given.get("subfolder") if name in _IN_SUBFOLDER else None
            arguments[name] = weights(arguments[name], given.get("revision"), inner or "")
    if loaded.adapter is not None:
        arguments["pretrained"] = loaded.identity
    return {
        "format": _FORMAT,
        "kind": str(config.kind),
        "backend": _version(backend),
        "model_args": arguments,
        "decoding": config.decoding.model_dump(mode="json"),
        "chat_template": config.chat_template,
        "device": device_type(config),
        **{name: os.environ[name] for name in backend.environment if name in os.environ},
        **backend.identity(config),
    }


def _version(backend: Backend) -> str | None:
    """The library that generates and its version; None where the version changes nothing or is not known."""
    for distribution in backend.libraries:
        try:
            return f"{distribution} {importlib.metadata.version(distribution)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def device_type(config: GenerationConfig) -> str | None:
    """``cpu``, ``cuda`` or whatever the user names, without its index; None where the device changes nothing."""
    if not config.backend.device:
        return None
    if device := config.model_args.get("device") or config.device:
        return str(device).split(":")[0]
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
