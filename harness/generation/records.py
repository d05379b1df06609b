"""What is asked of a model and what it answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class FinishReason(StrEnum):
    """Why an answer ended: by itself (end token, stop string), cut at the token limit or by the server's content
    filter, or refused by the server."""

    STOP = "stop"
    LENGTH = "length"
    FILTERED = "content_filter"
    ERROR = "error"


@dataclass(frozen=True)
class Prompt:
    """One answer to be generated: the ``sample``-th for ``text``; ``key`` identifies it in the store. ``repeat`` is
    1 where it was asked before and is asked again, to see whether the answer changes."""

    key: str
    text: str
    sample: int
    id: str
    severity: str
    question: str
    repeat: int = 0


@dataclass(frozen=True)
class Generated:
    """An answer as it came from the model.

    ``tokens`` counts generated tokens including the end token; ``seconds`` is an even share of the batch's.
    ``stop`` is the stop string that ended it, empty where an end token did. ``thinking`` counts the characters of
    thoughts cut before the answer; ``run_on`` says that a question which it went on to ask itself was dropped.
    ``error`` is what a server said instead of answering; ``text`` is empty then.
    """

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    tokens: int
    seconds: float
    stop: str = ""
    thinking: int = 0
    error: str = ""
    run_on: bool = False


class Engine(Protocol):
    """A loaded model. A chunk is generated as a whole; ``max_prompts`` and ``max_tokens`` limit its size."""

    max_prompts: int
    max_tokens: int | None
    defaults: dict[str, object]

    def lengths(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens of each prompt as the model will see it."""
        ...

    def generate(self, prompts: Sequence[Prompt]) -> list[Generated]:
        """One answer per prompt, in their order."""
        ...

    def release(self) -> None:
        """Free the accelerator's memory; the engine is of no use afterwards."""
        ...


@runtime_checkable
class Stream(Protocol):
    """An engine that asks someone else, who answers each prompt when it is ready."""

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[tuple[Prompt, Generated]]:
        """Each answer as soon as it is there, in any order."""
        ...
