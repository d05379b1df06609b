"""An adapter merged into its base: a model that anybody can publish, with its tokenizer and a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...harness.core.errors import UserError
from ...harness.core.files import read_json, write_text
from ...harness.core.folders import atomic_folder
from ...harness.generation.checkpoints import ADAPTER_CONFIG, base_record, is_reference, located
from ...harness.generation.engines.adapters import load_adapter, shared_target
from ...harness.generation.start_token import keep_start, set_start
from ...harness.runs.conditions import TRAINING_MANIFEST
from .bases import LOAD_ERRORS, load_model
from .model_card import model_card
from .rounding import round_to_bf16
from .unloadable import cannot_load

_TRAIN = "Give a folder of `maqa train lm` with method lora or qlora"
_OWN_TOKENIZER = "tokenizer_config.json"


def export(checkpoint: Path, out: Path, base: str | None = None, *, bf16: bool = False) -> Path:
    """Merge a checkpoint's adapter into its base, in float32, and write the model; returns its folder.

    Args:
        checkpoint: a folder with an adapter, as ``maqa train lm`` or peft leaves it.
        out: a new folder, whole or absent.
        base: where the base is now, if it has moved.
        bf16: whether the merged weights are rounded to bfloat16.

    Raises:
        UserError: there is no adapter, its base cannot be found or is another one by now, the two cannot be merged,
            or the folder cannot be written.
    """
    _demand_adapter(checkpoint)
    record = base_record(checkpoint)
    place, found = located(checkpoint, record, base)
    revision = None if Path(place).is_dir() else record.revision
    manifest = checkpoint / TRAINING_MANIFEST
    training: dict[str, Any] | None = read_json(manifest, "Train again") if manifest.is_file() else None
    own = checkpoint if (checkpoint / _OWN_TOKENIZER).is_file() else None
    tokenizer = _tokenizer(place, revision, own, training)
    if record.add_bos_token is not None:
        set_start(tokenizer, record.add_bos_token)
    with atomic_folder(out) as work:
        _merged(place, revision, tokenizer, checkpoint).save_pretrained(work)
        tokenizer.save_pretrained(work)
        if record.add_bos_token is not None:
            keep_start(work, record.add_bos_token)
        if bf16:
            round_to_bf16(work)
        write_text(work / "README.md", model_card(out.name, record, Path(place), found, training))
    return out


def _demand_adapter(checkpoint: Path) -> None:
    if not checkpoint.is_dir():
        raise UserError(f"there is no folder {checkpoint}", _TRAIN)
    if (checkpoint / ADAPTER_CONFIG).is_file() and is_reference(checkpoint):
        return
    if is_reference(checkpoint):
        name = base_record(checkpoint).name
        raise UserError(f"{checkpoint} is the untrained base {name} itself, and has nothing to merge", _TRAIN)
    if (checkpoint / "config.json").is_file():
        raise UserError(f"{checkpoint} holds a whole model already", "Publish that folder as it is")
    raise UserError(f"{checkpoint} holds no adapter", _TRAIN)


def _tokenizer(place: str, revision: str | None, own: Path | None, training: dict[str, Any] | None) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(own or place, revision=None if own else revision)
    except LOAD_ERRORS as error:
        raise cannot_load(place, error) from error
    if training and (pad := training["config"].get("pad_token")):
        tokenizer.pad_token = pad
    return tokenizer


def _merged(place: str, revision: str | None, tokenizer: Any, checkpoint: Path) -> Any:
    try:
        adapted = load_adapter(load_model(place, revision, tokenizer), checkpoint, len(tokenizer))
    except ValueError as error:
        raise UserError(f"{checkpoint} cannot be merged into {place}: {error}", "Evaluate it as it is") from error
    if shared_target(adapted):
        raise UserError(
            f"{checkpoint} adapts a matrix that serves as head and as embeddings: merged into the one, it would "
            "change the other",
            "Publish the adapter as it is, beside the name of its base",
        )
    return adapted.merge_and_unload()
