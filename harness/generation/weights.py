"""Which weights a model has, wherever they lie: a folder by the digest of its files, a hub id by its commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from ..core.errors import UserError
from ..core.files import read_json, sha256_file
from .store.lines import digest

_LEFTOVERS = ("optimizer", "scheduler", "rng_state", "trainer_state", "training", "cost", "scaler", "nll", "curves")
"""What trainers leave in a checkpoint and no model reads."""
_OF_THE_BASE = ("base_model_name_or_path", "revision")
_TRAIN_AGAIN = "Train the checkpoint again"


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
        digests = pool.map(_digest, files)
    return digest({path.name: content for path, content in zip(files, digests, strict=True)})


def adapter_digest(folder: Path) -> str:
    """Digest of an adapter: its weights, its configuration, and the tokenizer that it may bring.

    Where its base lies is no part of it.

    Raises:
        UserError: its configuration cannot be read.
    """
    config = folder / "adapter_config.json"
    said = {name: value for name, value in read_json(config, _TRAIN_AGAIN).items() if name not in _OF_THE_BASE}
    files = sorted(path for path in folder.iterdir() if path.is_file() and path != config and _matters(path))
    return digest({config.name: said, **{path.name: _digest(path) for path in files}})


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


def _digest(path: Path) -> str:
    """Of a file's bytes; of one that has not changed since, without reading it again."""
    about = path.stat()
    return _read_digest(path.resolve(), about.st_size, about.st_mtime_ns, about.st_ino)


@lru_cache(maxsize=4096)
def _read_digest(path: Path, size: int, modified_ns: int, inode: int) -> str:
    return sha256_file(path)


def _matters(path: Path) -> bool:
    return not path.name.startswith((".", *_LEFTOVERS)) and path.suffix.lower() != ".md"
