"""Putting a prompt into a model's chat template, with nothing of the model but its tokenizer."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jinja2 import TemplateError

from ..core.errors import UserError
from ..languages import Language
from .checkpoints import loadable
from .config import GenerationConfig

LONGEST_S = 5.0
"""What a chat template may take of time: it comes with a model, and so from anybody."""
_LONGEST_TEXT = 2**20
_OTHER_MODEL = "Leave --chat-template out, or use another model"
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
    name = tokenizer.name_or_path
    try:
        with _in_time(f"the chat template of {name} takes more than {LONGEST_S:g} s"):
            text = tokenizer.apply_chat_template(
                history, tokenize=False, add_generation_prompt=answer_next, **settings
            )
    except (OverflowError, MemoryError, RecursionError) as error:
        raise UserError(f"the chat template of {name} grows without bound: {error}", _OTHER_MODEL) from None
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # A template is a program, and any of these is its own.
        raise UserError(
            f"the chat template of {name} refuses the prompt: {error}",
            "Leave --system-instruction out, or give --no-fewshot-as-multiturn",
        ) from None
    asked = sum(len(str(turn.get("content"))) for turn in history)
    if len(text) > _LONGEST_TEXT + 10 * asked:
        raise UserError(f"the chat template of {name} makes {len(text):,} characters of {asked:,}", _OTHER_MODEL)
    return str(text)


@contextmanager
def _in_time(problem: str) -> Iterator[None]:
    """Within, a template that does not come to an end is ended; only a process's main thread can do so.

    Raises:
        UserError: it was.
    """

    def end(_: int, __: object) -> None:
        raise UserError(problem, _OTHER_MODEL)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, end)
    left = signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *left)
        signal.signal(signal.SIGALRM, before)
