"""Putting a prompt into a model's chat template, with nothing of the model but its tokenizer."""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError

from ..core.errors import UserError
from ..languages import Language
from .checkpoints import loadable
from .config import GenerationConfig

BY_THE_SERVER = ""
"""Stands for the chat template that an endpoint applies, as in lm-eval: nobody sees it."""


def chat_tokenizer(config: GenerationConfig) -> Any:
    """The tokenizer that brings the chat template.

    Raises:
        UserError: the model has no tokenizer, or the tokenizer no chat template.
    """
    from transformers import AutoTokenizer

    arguments = loadable(config).for_engine
    name = arguments.get("tokenizer") or arguments.get("pretrained")
    if not config.backend.chat or not isinstance(name, str):
        raise UserError(f"`{config.kind}` has no chat template here", "Leave --chat-template out")
    tokenizer = AutoTokenizer.from_pretrained(
        name, revision=arguments.get("revision"), trust_remote_code=bool(arguments.get("trust_remote_code"))
    )
    if not tokenizer.chat_template:
        raise UserError(f"the tokenizer of {name} has no chat template", "Leave --chat-template out")
    return tokenizer


def in_template(config: GenerationConfig, tokenizer: Any, history: list[dict[str, str]], answer_next: bool) -> str:
    """A conversation as the model is to see it; with ``answer_next`` it ends where the answer begins.

    Raises:
        UserError: the template does not take such a conversation, say one with a system instruction.
    """
    settings = dict(config.model_args.get("chat_template_args") or {})
    if (thinking := config.model_args.get("enable_thinking")) is not None:
        settings["enable_thinking"] = thinking
    return rendered(tokenizer, history, answer_next, continue_final_message=not answer_next, **settings)


def turns(prompt: str, system: str | None) -> list[dict[str, str]]:
    """The conversation in which a prompt is put: a system instruction, if there is one, and the user's turn."""
    first = [] if system is None else [{"role": "system", "content": system}]
    return [*first, {"role": "user", "content": prompt}]


def system_text(tokenizer: Any, language: Language) -> str | None:
    """The language's system instruction; None where it has none, or the chat template takes none."""
    if not language.system:
        return None
    try:
        text = rendered(tokenizer, turns("", language.system), True)
    except UserError:
        return None
    return language.system if language.system in text else None


def rendered(tokenizer: Any, history: list[dict[str, str]], answer_next: bool, **settings: Any) -> str:
    """A conversation by the tokenizer's chat template, in training and evaluation alike.

    Args:
        history: turns with their ``role`` and ``content``.
        answer_next: whether it ends where the answer begins.
        settings: of the template.

    Raises:
        UserError: the template does not take such a conversation.
    """
    try:
        text = tokenizer.apply_chat_template(history, tokenize=False, add_generation_prompt=answer_next, **settings)
    except TemplateError as error:
        raise UserError(
            f"the chat template of {tokenizer.name_or_path} refuses the prompt: {error}",
            "Leave --system-instruction out, or give --no-fewshot-as-multiturn",
        ) from None
    return str(text)
