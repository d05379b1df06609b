"""Worked examples in front of a question: how they are asked for, and what stands between them."""

from __future__ import annotations

from ..core.settings import Record
from ..languages import Language, Style

EXAMPLE_BREAK = "\n\n###\n\n"
"""What follows each example of a plain prompt. Not a blank line alone: answers have paragraphs."""

EXAMPLE_STOP = "\n###\n"
"""What a model that goes on to write an example of its own begins it with: there the answer ends."""


def prompt_stop(language: Language, style: Style, num_fewshot: int) -> tuple[str, ...]:
    """What ends an answer unless the user says otherwise: the marks of the prompt's style, and of an example."""
    own = (EXAMPLE_STOP,) if num_fewshot and style is Style.PLAIN else ()
    return (*language.stop.of(style), *own)


class Prompting(Record):
    """What a prompt holds beside the question.

    ``num_fewshot`` training rows with their answers stand in front of it, drawn by ``fewshot_seed``; in a chat
    template each is a turn of its own with ``fewshot_as_multiturn``, else all are one message.
    ``system_instruction`` comes first.
    """

    num_fewshot: int = 0
    fewshot_seed: int = 1234
    fewshot_as_multiturn: bool = True
    system_instruction: str | None = None
