"""The model in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..config import GenerationConfig
from ..records import Engine, Generated, Prompt, Stream
from .chunks import chunks


class LocalWorker:
    """One engine in this process."""

    def __init__(self, config: GenerationConfig) -> None:
        self._engine = load_engine(config)
        self._new_tokens = config.decoding.max_new_tokens
        self.defaults = self._engine.defaults

    def plan(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        """All prompts in chunks."""
        engine = self._engine
        return chunks(
            prompts,
            engine.lengths(prompts),
            new_tokens=self._new_tokens,
            max_prompts=engine.max_prompts,
            max_tokens=engine.max_tokens,
        )

    def run(self, planned: Sequence[list[Prompt]]) -> Iterator[tuple[list[Prompt], list[Generated]]]:
        """One chunk after the other, or each answer by itself where they come so."""
        if isinstance(self._engine, Stream):
            for prompt, answer in self._engine.stream([prompt for chunk in planned for prompt in chunk]):
                yield [prompt], [answer]
            return
        for chunk in planned:
            yield chunk, self._engine.generate(chunk)

    def release(self) -> None:
        """Free the accelerator."""
        self._engine.release()


def load_engine(config: GenerationConfig) -> Engine:
    """Load the model; only its own backend is imported.

    Raises:
        UserError: the backend is not installed, or the model cannot be loaded.
    """
    return config.backend.load(config)
