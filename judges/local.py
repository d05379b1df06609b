"""A judge that is loaded here, or asked otherwise, by the engines that generate answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from ..harness.generation.chat import chat_tokenizer, in_template
from ..harness.generation.config import GenerationConfig
from ..harness.generation.records import Generated, Prompt
from ..harness.generation.store.identity import identity
from ..harness.generation.workers.workers import load_workers
from .asking import Unanswered
from .prompt import Message


class LocalJudge:
    """See ``Judge``. The model is loaded once something has to be asked, and released after each round."""

    def __init__(self, config: GenerationConfig) -> None:
        self._config = config
        given = config.model_args
        self.name = str(given.get("pretrained") or given.get("model") or config.kind)
        self.identity: dict[str, Any] = identity(config)
        self.requests = 0

    def text(self, messages: Sequence[Message]) -> str:
        """The messages one after the other, in the model's chat template as one turn: not every template has a
        place for instructions."""
        text = "\n\n".join(each["content"] for each in messages)
        if self._config.chat_template:
            return in_template(self._config, self._tokenizer, [{"role": "user", "content": text}], True)
        return f"{text}\n\n"

    def answers(self, prompts: Sequence[Prompt], known: int) -> Iterator[tuple[Prompt, Generated | Unanswered]]:
        """See ``Judge``."""
        workers = load_workers(self._config)
        try:
            for chunk, generated in workers.run(workers.plan(prompts)):
                self.requests += len(chunk)
                yield from zip(chunk, generated, strict=True)
        finally:
            workers.release()

    @cached_property
    def _tokenizer(self) -> Any:
        return chat_tokenizer(self._config)
