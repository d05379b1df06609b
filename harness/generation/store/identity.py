"""What changes an answer, spelled out: the weights by their hash, the arguments, the decoding, the backend."""

from __future__ import annotations

import importlib.metadata
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from ...core.files import sha256_file
from ..backends import Backend
from ..config import GenerationConfig
from .lines import digest

_FORMAT = 3
"""Counts up when the same settings come to give another text. From 2 on ``endings`` says what the answer is,
from 3 on marks end it in other spellings too."""
_IN_SUBFOLDER = ("pretrained", "tokenizer")
"""Arguments whose files lie in the argument ``subfolder`` of what they name."""
_LEFTOVERS = ("optimizer", "scheduler", "rng_state", "trainer_state", "training", "cost", "scaler")
"""What trainers leave in a checkpoint and no model reads."""


def identity(config: GenerationConfig) -> dict[str, Any]:
    """Everything that changes an answer, JSON-ready: two equal identities give equal answers.

    A model in a folder counts by the digest of its files, not by its path; one of the hub by its commit. The prompt
    is not here but in each answer's key, and it carries the chat template's text.

    Raises:
        UserError: the model, or the dataset of ``nearest``, cannot be found.
    """
    backend = config.backend
    runtime, given = backend.runtime_args or {}, config.model_args
    arguments = {name: value for name, value in sorted(given.items()) if name not in runtime}
    for name in backend.weights:
        if isinstance(arguments.get(name), str):
            inner = given.get("subfolder") if name in _IN_SUBFOLDER else None
            arguments[name] = weights(arguments[name], given.get("revision"), inner or "")
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


def weights(name: str, revision: str | None = None, subfolder: str = "") -> dict[str, str]:
    """Identity of a model: ``{"files": digest}`` of a folder, ``{"repository": name, "commit": sha}`` of the hub.

    ``subfolder`` is where in the folder or the repository the model lies.

    Raises:
        UserError: neither the folder nor the repository can be found.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return {"files": folder_digest(folder / subfolder)}
    if folder.is_absolute() or name.startswith((".", "~")):
        raise UserError(f"model folder {name} does not exist", "Check pretrained= in --model-args")
    return {"repository": name, "commit": hub_commit(name, revision, subfolder)}


def folder_digest(folder: Path) -> str:
    """Digest of a model folder's files: weights, configuration, tokenizer and chat template.

    Raises:
        UserError: the folder holds no file that a model reads.
    """
    found = folder.iterdir() if folder.is_dir() else ()
    files = sorted(path for path in found if path.is_file() and _matters(path))
    if not files:
        raise UserError(f"{folder} holds no model", "Name a folder with config.json and weights")
    with ThreadPoolExecutor(max_workers=4) as pool:
        digests = pool.map(sha256_file, files)
    return digest({path.name: content for path, content in zip(files, digests, strict=True)})


def hub_commit(name: str, revision: str | None = None, subfolder: str = "") -> str:
    """The commit of a repository of the hub, from the cache where there is no network.

    Raises:
        UserError: it is not there, or cannot be reached and is not in the cache.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
    )

    remedy = "Check the path or name; without network, download the model beforehand and set HF_HUB_OFFLINE=1"
    for entry in ("config.json", "adapter_config.json", "tokenizer_config.json"):
        try:
            found = Path(hf_hub_download(name, entry, subfolder=subfolder or None, revision=revision))
            return found.parents[len(Path(subfolder).parts)].name
        except LocalEntryNotFoundError:
            raise UserError(f"model {name!r} is neither a folder nor in the hub's cache", remedy) from None
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, HFValidationError, OSError) as error:
            raise UserError(f"model {name!r} is neither a folder nor on the hub: {error}", remedy) from None
    raise UserError(f"repository {name!r} holds no model", remedy)


def _matters(path: Path) -> bool:
    return not path.name.startswith((".", *_LEFTOVERS)) and path.suffix.lower() != ".md"
