"""A GGUF file of a causal language model as a transformers folder: float32 safetensors and a tokenizer."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..harness.core.errors import UserError
from ..harness.core.files import read_json, write_json
from ..harness.core.library_bars import without_library_bars
from ..harness.generation.start_token import STARTS, keep_start, set_start, starts
from .gguf_files import Header, not_taken_over, read_header

_LOAD_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    RuntimeError,
    ImportError,
    NotImplementedError,
    TypeError,
)
_ANOTHER = "Take another conversion of the model, or the model in transformers' own form"
_READING = ("quantization_config", "_model_name_or_path", "_name_or_path", "name_or_path")
"""What a configuration says of the file that it was read from."""
_PROBES = ("a b  c", "\n\n1,234.5 x", "\u0639\u0646\u062f\u064a \u0635\u062f\u0627\u0639", "\U0001f600")


@dataclass(frozen=True)
class Converted:
    """What a conversion found: the start token that the tokenizer forgot and now adds, and what the file holds that
    transformers does not look at."""

    start_token: str | None = None
    not_taken_over: tuple[str, ...] = ()


def write_causal(path: Path, folder: Path, start_token: bool | None = None) -> Converted:
    """Write model and tokenizer of a GGUF file into a folder.

    Args:
        path: the file, alone in its folder: transformers takes a tokenizer that lies beside it.
        start_token: whether texts are to begin with the start token; None: as the file says, and where it does not
            say, as models of its kind do.

    Raises:
        UserError: the file cannot be read or lacks weights, its tokenizer cannot be kept, or it says, against what
            is known of its kind, that no text begins with the start token.
    """
    header = read_header(path)
    with _calm():
        tokenizer = _read_tokenizer(path)
        add, forgot = _start(tokenizer, header, start_token), not starts(tokenizer)
        if add is not None:
            set_start(tokenizer, add)
        ignored = _write_model(path, header, folder)
        _keep_tokenizer(tokenizer, folder, header, add)
    return Converted(str(tokenizer.bos_token) if add and forgot else None, tuple(ignored))


def _write_model(path: Path, header: Header, folder: Path) -> list[str]:
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, dtype=torch.float32, output_loading_info=True
        )
    except _LOAD_ERRORS as error:
        raise UserError(
            f"transformers cannot load this {header.architecture} file: {_line(error)}", _ANOTHER
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise UserError(f"this {header.architecture} file lacks the weights {missing[0]}", _ANOTHER)
    # A model that was quantised once refuses to be saved.
    kept = {name: value for name, value in model.config.to_dict().items() if name not in _READING}
    with torch.device("meta"):
        fresh = type(model)(type(model.config).from_dict(kept))
    fresh.load_state_dict(model.state_dict(), assign=True)
    fresh.tie_weights()
    fresh.generation_config = model.generation_config
    fresh.save_pretrained(folder)
    ignored = not_taken_over(header, getattr(fresh.config, "head_dim", None))
    spare = header.weights - sum(weight.numel() for weight in fresh.parameters())
    return [*ignored, f"{spare:,} weights"] if spare > 0 else ignored


def _read_tokenizer(path: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    except _LOAD_ERRORS as error:
        raise UserError(f"transformers cannot read the tokenizer of this file: {_line(error)}", _ANOTHER) from error


def _start(tokenizer: Any, header: Header, wanted: bool | None) -> bool | None:
    """Whether texts are to begin with the start token; None where nobody says."""
    start, says = tokenizer.bos_token, header.adds_start
    if start is None:
        if wanted:
            raise UserError("this file names no start token", "Leave --start-token out")
        return None
    usual = start != tokenizer.eos_token and start in STARTS.get(header.architecture, ())
    if wanted is None and says is False and usual:
        raise UserError(
            f"this file says that no {start} stands before a text, and {header.architecture} models were trained "
            "with one",
            "Give --start-token to add it, or --no-start-token to do without",
        )
    return wanted if wanted is not None else says if says is not None else usual or None


def _keep_tokenizer(tokenizer: Any, folder: Path, header: Header, add: bool | None) -> None:
    """Save the tokenizer beside its model, whose type decides of which class it is when it is loaded again."""
    from transformers import AutoTokenizer

    tokenizer.save_pretrained(folder)
    # transformers writes these keys in the order of a set, another one each time.
    path = folder / "tokenizer_config.json"
    write_json(path, dict(sorted(read_json(path, _ANOTHER).items())))
    if add is not None:
        keep_start(folder, add)
    again = AutoTokenizer.from_pretrained(folder)
    for text in _PROBES:
        if again(text)["input_ids"] != tokenizer(text)["input_ids"]:
            raise UserError(
                f"transformers does not keep the tokenizer of this {header.architecture} file: loaded again, it "
                f"splits {text!r} otherwise",
                _ANOTHER,
            )


@contextlib.contextmanager
def _calm() -> Iterator[None]:
    """No bars and no notes of transformers about a file that it reads."""
    from transformers import modeling_gguf_pytorch_utils as reader
    from transformers.utils import logging as library

    level, bar = library.get_verbosity(), reader.tqdm
    library.set_verbosity(logging.ERROR)
    # This bar knows no switch.
    reader.tqdm = lambda tensors, **_: tensors
    try:
        with without_library_bars():
            yield
    finally:
        reader.tqdm = bar
        library.set_verbosity(level)


def _line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
