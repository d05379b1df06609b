"""Asking a checkpoint as it was trained: in its chat template, or in none."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import UserError
from ..core.files import read_json
from ..data.dataset import language_asked
from ..generation.chat import chat_tokenizer, system_text
from ..generation.config import GenerationConfig
from ..runs.conditions import TRAINING_MANIFEST
from .options import EvaluationOptions

_CHAT, _TRAINED = "config.chat_template", "config.loss"


def as_trained(config: GenerationConfig, options: EvaluationOptions) -> EvaluationOptions:
    """The options, with the system instruction that the checkpoint was trained with. What does not come from a
    training of this program is asked as the user says, and so is an untrained base, trained in no template.

    Raises:
        UserError: the checkpoint was trained otherwise than it is asked.
    """
    if config.backend.turns:
        return _in_turns(options)
    name = config.model_args.get("pretrained")
    path = Path(str(name)).expanduser() / TRAINING_MANIFEST
    if not config.backend.weights or not isinstance(name, str) or not path.is_file():
        return options
    found = read_json(path, "Train the checkpoint again").get("conditions")
    conditions = found if isinstance(found, dict) else {}
    chat = bool(conditions.get(_CHAT))
    if chat != config.chat_template and (chat or _TRAINED in conditions):
        how, remedy = ("in", "Give") if chat else ("without", "Leave out")
        raise UserError(f"{name} was trained {how} its chat template", f"{remedy} --chat-template")
    if not chat:
        return options
    wanted = system_text(chat_tokenizer(config), language_asked(options.data, options.language))
    given = options.prompting.system_instruction
    if given not in (None, wanted):
        told = "no system instruction" if wanted is None else f"the system instruction {wanted!r}"
        raise UserError(
            f"{name} was trained with {told}", "Leave --system-instruction out: what it needs is given by itself"
        )
    prompting = options.prompting.model_copy(update={"system_instruction": wanted})
    return options.model_copy(update={"prompting": prompting})


def _in_turns(options: EvaluationOptions) -> EvaluationOptions:
    """A chat is told the language's system text, unless another one is given; an empty one is none."""
    if options.prompting.system_instruction is not None:
        return options
    system = language_asked(options.data, options.language).system or None
    return options.model_copy(
        update={"prompting": options.prompting.model_copy(update={"system_instruction": system})}
    )
