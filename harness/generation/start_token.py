"""Whether a tokenizer puts the start token before a text that its model was trained with.

Models of some families write nothing of use without it, and nothing says so: a tokenizer that was read from a GGUF
file adds none, for one. Others, such as GPT-2 and Qwen, never saw one; they are not in the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..core.files import read_json, write_json

SETTING = "add_bos_token"
"""What transformers, lm-eval and vLLM call it in ``tokenizer_config.json`` and among their arguments."""

_GEMMA = frozenset({"<bos>"})
_LLAMA = frozenset({"<s>", "<|begin_of_text|>"})
STARTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text"), _GEMMA),
    **dict.fromkeys(("gemma4", "gemma4_text", "recurrent_gemma"), _GEMMA),
    **dict.fromkeys(("llama", "mistral", "mixtral"), _LLAMA),
}
"""Model types whose published tokenizers put a start token before every text, and what it is called there. The
architecture alone decides nothing: SmolLM and Yi are ``llama`` too, with a start token of another name that no text
begins with."""

_CONFIG = "tokenizer_config.json"
_PROBE = "a"


def forgotten_start(tokenizer: Any, model_type: str | None, revision: str | None = None) -> str | None:
    """The start token that texts should begin with and do not; None where all is well.

    It is missed where ``tokenizer_config.json`` says ``add_bos_token: true``, or does not say and the table does.
    What says ``false`` was decided by somebody, and a start token that is the end token too begins nothing.

    Args:
        tokenizer: as it was loaded; transformers puts before a text what ``tokenizer.json`` says alone.
        model_type: of the model's configuration.
        revision: of a hub id.
    """
    start = tokenizer.bos_token
    if start is None or start == tokenizer.eos_token or starts(tokenizer):
        return None
    said = _declared(tokenizer, revision)
    wanted = said if isinstance(said, bool) else start in STARTS.get(model_type or "", ())
    return str(start) if wanted else None


def starts(tokenizer: Any) -> bool:
    """Whether a text begins with the start token."""
    ids = tokenizer(_PROBE)["input_ids"]
    return bool(ids) and tokenizer.bos_token_id is not None and ids[0] == tokenizer.bos_token_id


def set_start(tokenizer: Any, add: bool) -> None:
    """Make every text begin with the start token, or with none.

    Raises:
        UserError: the tokenizer has no start token, or cannot be made to.
    """
    tokenizer.add_bos_token = add
    if starts(tokenizer) != add:
        raise UserError(
            f"the tokenizer of {tokenizer.name_or_path} cannot be made to begin texts "
            f"{'with' if add else 'without'} a start token",
            f"Leave {SETTING} out, or take another tokenizer",
        )


def keep_start(folder: Path, add: bool) -> None:
    """Write down in a saved tokenizer what was decided, which transformers leaves out."""
    path = folder / _CONFIG
    write_json(path, {**read_json(path, "Save the tokenizer again"), SETTING: add})


def keep_last(ids: list[int], room: int, start_id: int | None) -> list[int]:
    """The last ``room`` tokens of a text; a start token stays before them."""
    if len(ids) <= room or room < 2 or start_id is None or ids[0] != start_id:
        return ids[-room:]
    return [start_id, *ids[1 - room :]]


def demand_start(forgotten: str | None, name: str, how: str) -> None:
    """Refuse a tokenizer that forgets the start token.

    Args:
        forgotten: as ``forgotten_start`` says.
        name: of the model.
        how: where ``add_bos_token`` is given, such as ``--set``.

    Raises:
        UserError: there is a forgotten token.
    """
    if forgotten:
        raise UserError(
            f"the tokenizer of {name} puts no {forgotten} before a text, and its model was trained with one: it "
            "would write nothing of use",
            f"Add the token with {how} {SETTING}=true; {how} {SETTING}=false does without it on purpose",
        )


class StartToken:
    """Refuses prompts without the start token that a model was trained with, when it is about to answer.

    A chat template may bring the token; ``add_bos_token`` among the model's arguments was decided by the user.
    """

    def __init__(self, tokenizer: Any, model_type: str | None, model_args: Mapping[str, Any]) -> None:
        given = SETTING in model_args
        self._forgotten = None if given else forgotten_start(tokenizer, model_type, model_args.get("revision"))
        self._name = str(model_args.get("pretrained"))

    def demand(self, texts: Iterable[str]) -> None:
        """Raises:
        UserError: one of the prompts begins without the token.
        """
        if self._forgotten and not all(text.startswith(self._forgotten) for text in texts):
            demand_start(self._forgotten, self._name, "--model-args")


def _declared(tokenizer: Any, revision: str | None) -> Any:
    """What ``tokenizer_config.json`` says; it was read a moment ago, so it is here."""
    from transformers.models.auto.tokenization_auto import get_tokenizer_config

    try:
        found = get_tokenizer_config(tokenizer.name_or_path, revision=revision, local_files_only=True)
    except (OSError, ValueError):
        return None
    return found.get(SETTING)
