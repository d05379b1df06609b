"""Whether a base is a whole causal language model, by what it holds: some other kinds load without an error, and
train from weights that are partly random or meant for something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...harness.core.errors import UserError
from ...harness.generation.checkpoints import ADAPTER_CONFIG

if TYPE_CHECKING:
    from transformers import PretrainedConfig

_DECODER = "Choose a decoder-only base, such as a Qwen, Llama or Gemma"
_NAMED = 2


def demand_model_files(base: str) -> None:
    """Raises:
    UserError: the base is a folder of an adapter, or a GGUF file.
    """
    path = Path(base)
    if base.lower().endswith(".gguf"):
        raise _gguf(base, base)
    if not path.is_dir():
        return
    if (path / ADAPTER_CONFIG).is_file():
        raise _adapter(base, path / ADAPTER_CONFIG)
    if not (path / "config.json").is_file() and (files := sorted(path.glob("*.gguf"))):
        raise _gguf(base, str(files[0]))


def demand_decoder(base: str, config: PretrainedConfig) -> None:
    """Raises:
    UserError: the base is an encoder-decoder, or of a kind that has no causal language model.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    if getattr(config, "is_encoder_decoder", False):
        raise UserError(
            f"base {base} is an encoder-decoder ({config.model_type}), of which only the decoder would be trained",
            _DECODER,
        )
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise UserError(
            f"base {base} is of the kind {config.model_type!r}, which transformers has no causal language model of",
            _DECODER,
        )


def demand_whole(base: str, model: Any, missing: set[str], unexpected: set[str]) -> None:
    """Look whether a checkpoint had the weights of the model that it was loaded as.

    Args:
        missing: names of the model's weights that the checkpoint lacks, which are random now.
        unexpected: names of the checkpoint's weights that the model has no place for.

    Raises:
        UserError: weights are missing, or the checkpoint is another model's, with a head of its own; or an adapter
            was loaded with it.
    """
    import transformers

    if getattr(model, "_hf_peft_config_loaded", False):
        raise _adapter(base, None)
    kind, saved = type(model).__name__, (getattr(model.config, "architectures", None) or [""])[0]
    # What transformers does not know may be an old name of the same.
    other = f", being a {saved}" if saved not in (kind, "") and hasattr(transformers, saved) else ""
    remedy = "Choose a base that was saved as a causal language model, or download it again"
    if missing:
        names = sorted(missing)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise UserError(
            f"base {base} lacks {', '.join(names[:_NAMED])}{more} of a {kind}{other}: they would be random", remedy
        )
    if other and unexpected:
        raise UserError(f"base {base} was trained for something else than to write{other}", remedy)


def _adapter(base: str, file: Path | None) -> UserError:
    under = None
    if file is not None:
        try:
            under = json.loads(file.read_text(encoding="utf-8")).get("base_model_name_or_path")
        except (OSError, ValueError, AttributeError):
            under = None
    return UserError(
        f"base {base} is an adapter{f' of {under}' if under else ''}, no model of its own",
        "Merge it into its model first: `maqa export CHECKPOINT --out DIR`, or peft's merge_and_unload()",
    )


def _gguf(base: str, file: str) -> UserError:
    return UserError(
        f"base {base} is a GGUF file, which cannot be trained",
        f"Make a folder of float32 weights of it: maqa fetch {file} --out FOLDER",
    )
