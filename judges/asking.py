"""Who is asked: anybody who takes messages and gives texts back, with the tokens that they took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..harness.generation.records import Generated, Prompt
from .prompt import Message


@dataclass(frozen=True)
class Unanswered:
    """What kept a prompt from being answered in all its attempts; the same command asks it again."""

    words: str


class Judge(Protocol):
    """A model behind an address, or one that is loaded here.

    Attributes:
        name: of the model.
        identity: everything that changes its replies, JSON-ready and without secrets.
        requests: how often it was asked in this process, attempts that failed among them.
    """

    name: str
    identity: dict[str, Any]

    @property
    def requests(self) -> int: ...

    def text(self, messages: Sequence[Message]) -> str:
        """What a store keeps replies to these messages under, and what ``answers`` takes as a prompt's text."""
        ...

    def answers(self, prompts: Sequence[Prompt], known: int) -> Iterator[tuple[Prompt, Generated | Unanswered]]:
        """Each reply as soon as it is there, in any order; ``known`` others of its replies are there already.

        Raises:
            UserError: it cannot be asked at all, or answers nothing any more.
        """
        ...
