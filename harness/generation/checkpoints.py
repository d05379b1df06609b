"""What a checkpoint's folder holds that is not a whole model: an adapter, or nothing but the name of its base.

Such a checkpoint says in ``training_base.json`` which weights it stands on. Wherever a model is loaded, the base is
looked for, compared with what is said of it, and loaded in the checkpoint's place, with the adapter on it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..core.files import read_json, write_json
from ..core.records import validated
from ..core.settings import Record
from .config import GenerationConfig
from .weights import adapter_digest, weights

BASE_RECORD = "training_base.json"
"""The record's file in a checkpoint's folder."""

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""An adapter as peft saves it."""

BASE = "base"
"""The model argument that says where a base is now."""

_TOKENIZER = "tokenizer_config.json"
_OF_THE_BASE = ("revision", "subfolder", "peft", "delta", "gguf_file", "lora_local_path")
_TRAIN_AGAIN = "Train the checkpoint again"


class BaseRecord(Record):
    """The content of ``training_base.json``.

    ``name`` is the hub id, with its commit as ``revision``, or the absolute path of the base, ``near`` its path
    from the checkpoint's folder, which holds when both are moved together. ``weights`` is its identity as
    ``weights()`` gives it; None where nobody noted it. ``dtype`` is what the base is loaded in unless another one
    is asked for; ``add_bos_token`` what the training decided about the start token.
    """

    format_version: int = 1
    name: str
    revision: str | None = None
    near: str | None = None
    weights: dict[str, str] | None = None
    dtype: str = "float32"
    add_bos_token: bool | None = None


@dataclass(frozen=True)
class Loadable:
    """What an engine is to load.

    Attributes:
        arguments: model arguments whose ``pretrained`` is a whole model.
        adapter: the folder of the adapter that goes on it.
        base: the identity of the whole model under an adapter.
    """

    arguments: dict[str, Any]
    adapter: Path | None = None
    base: dict[str, str] | None = None

    @property
    def identity(self) -> dict[str, Any] | None:
        """What counts in the place of ``pretrained``; None where there is no adapter."""
        return None if self.adapter is None else {"adapter": adapter_digest(self.adapter), "base": self.base}

    @property
    def for_engine(self) -> dict[str, Any]:
        """The arguments with the tokenizer that the adapter may bring."""
        own = self.adapter is not None and (self.adapter / _TOKENIZER).is_file()
        return {"tokenizer": str(self.adapter), **self.arguments} if own else self.arguments


def is_reference(folder: Path) -> bool:
    """Whether a folder holds no model of its own, but the name of one, or an adapter for one."""
    if (folder / BASE_RECORD).is_file():
        return True
    return (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").is_file()


def loadable(config: GenerationConfig) -> Loadable:
    """What a generation's model arguments mean: themselves, or of a checkpoint its base and its adapter.

    ``base`` among them says where the checkpoint's base is now.

    Raises:
        UserError: the base cannot be found or is another one by now, or an argument does not fit.
    """
    if not config.backend.weights:
        return Loadable(config.model_args)
    given = dict(config.model_args)
    place = given.pop(BASE, None)
    name = given.get("pretrained")
    folder = Path(str(name)).expanduser()
    if not isinstance(name, str) or not folder.is_dir() or not is_reference(folder):
        if place is not None:
            raise UserError(f"{name} is no adapter, and stands on no base", f"Leave {BASE}= out of --model-args")
        return Loadable(given)
    if other := next((each for each in _OF_THE_BASE if given.get(each)), None):
        raise UserError(
            f"{other}= cannot be used with {name}, which brings its own base", f"Leave {other}= out of --model-args"
        )
    record = base_record(folder)
    base, found = located(folder, record, None if place is None else str(place))
    arguments = {**given, "pretrained": base}
    if record.revision and not Path(base).is_dir():
        arguments["revision"] = record.revision
    if config.backend.keeps_dtype and given.get("dtype") in (None, "auto"):
        arguments["dtype"] = record.dtype
    if record.add_bos_token is not None:
        arguments.setdefault("add_bos_token", record.add_bos_token)
    return Loadable(arguments, folder if (folder / ADAPTER_CONFIG).is_file() else None, found)


def base_record(folder: Path) -> BaseRecord:
    """What a checkpoint says of its base; of an adapter that was trained elsewhere, what peft's configuration says.

    Raises:
        UserError: it cannot be read, or names no base.
    """
    path = folder / BASE_RECORD
    if path.is_file():
        return validated(BaseRecord, read_json(path, _TRAIN_AGAIN), str(path), _TRAIN_AGAIN)
    path = folder / ADAPTER_CONFIG
    found = read_json(path, "Name a folder that peft has saved")
    name, revision = (found.get(key) for key in ("base_model_name_or_path", "revision"))
    if not name:
        raise UserError(f"{path} names no base", "Write base_model_name_or_path into it")
    return BaseRecord(name=str(name), revision=revision, dtype="auto")


def write_base_record(folder: Path, base: Mapping[str, Any], dtype: str, add_bos_token: bool | None) -> BaseRecord:
    """Note in a checkpoint's folder which base it stands on; an adapter in it names the same one.

    Args:
        folder: of the checkpoint.
        base: ``name`` and ``weights`` of a training manifest's base.
        dtype: what the base is to be loaded in.
        add_bos_token: what the training decided.

    Raises:
        UserError: a file cannot be written.
    """
    place = Path(base["name"]).expanduser()
    local = "files" in base["weights"]
    record = BaseRecord(
        name=str(place.resolve()) if local else base["name"],
        revision=base["weights"].get("commit"),
        near=os.path.relpath(place.resolve(), folder.resolve()) if local else None,
        weights=base["weights"],
        dtype=dtype,
        add_bos_token=add_bos_token,
    )
    config = folder / ADAPTER_CONFIG
    if config.is_file():
        written = read_json(config, _TRAIN_AGAIN)
        write_json(config, {**written, "base_model_name_or_path": record.name, "revision": record.revision})
    write_json(folder / BASE_RECORD, record.model_dump(mode="json"))
    return record


def located(folder: Path, record: BaseRecord, place: str | None) -> tuple[str, dict[str, str]]:
    """Where the base of a checkpoint is, and its identity.

    Args:
        folder: of the checkpoint.
        record: what it says of its base.
        place: where the base is now, if the user says so.

    Raises:
        UserError: it is not there, or is another one.
    """
    elsewhere = f"Say where it is by {BASE}=FOLDER in --model-args"
    if place is None and record.near is None and not _is_path(record.name):
        return record.name, weights(record.name, record.revision)
    near = None if record.near is None else str((folder / record.near).resolve())
    places = [place] if place is not None else [record.name, *([near] if near else [])]
    there = [path for each in dict.fromkeys(places) if (path := Path(each).expanduser()).is_dir()]
    if not there:
        raise UserError(f"the base {places[0]} of {folder} is not there", elsewhere)
    for path in there:
        # A folder of the hub's cache is called by its commit.
        if record.weights and record.revision and path.resolve().name == record.revision:
            return str(path), record.weights
        if record.weights in (found := weights(str(path)), None):
            return str(path), found
    what = f"{record.name} at {record.revision}" if record.revision else "the one that it was trained on"
    raise UserError(f"{there[0]} is not the base of {folder}: its files are others than those of {what}", elsewhere)


def _is_path(name: str) -> bool:
    return name.startswith((".", "~")) or Path(name).is_absolute() or Path(name).is_dir()
