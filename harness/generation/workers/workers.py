"""One engine or several; a run looks the same to its caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from ..config import GenerationConfig
from ..records import Generated, Prompt
from .local import LocalWorker


class Workers(Protocol):
    """One engine or several, loaded."""

    defaults: dict[str, object]

    def plan(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        """All prompts in chunks, whatever has been answered already."""
        ...

    def run(self, planned: Sequence[list[Prompt]]) -> Iterator[tuple[list[Prompt], list[Generated]]]:
        """The answers of each chunk, as they come."""
        ...

    def release(self) -> None:
        """Free the accelerators."""
        ...


def load_workers(config: GenerationConfig) -> Workers:
    """One engine here, or several on the Ray cluster.

    Raises:
        UserError: a backend is not installed, or the model cannot be loaded.
    """
    if config.ray:
        from .ray import RayWorkers

        return RayWorkers(config)
    return LocalWorker(config)
