"""Several engines side by side as Ray actors, one per GPU, on whatever cluster Ray is connected to."""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from ...core.errors import UserError
from ...core.ray_cluster import connect
from ..config import GenerationConfig
from ..credentials import use_hub_token
from ..records import Generated, Prompt
from ..store.identity import identity
from ..store.shards import shard_of
from .local import LocalWorker


class RayWorkers:
    """Each actor holds one engine and answers the rows of one shard; the answers come back here, to one store.

    Uses the cluster of ``RAY_ADDRESS`` if that is set, else starts one on this machine. Models must be visible to
    every worker under the same path.

    Raises:
        UserError: Ray is not installed, or the cluster has too few GPUs.
    """

    def __init__(self, config: GenerationConfig) -> None:
        self._ray, self._started = connect(config.workers)
        try:
            self._actors = self._start(config)
            self.defaults: dict[str, object] = self._get([actor.load.remote() for actor in self._actors])[0]
        except BaseException:
            self.release()
            raise

    def _start(self, config: GenerationConfig) -> list[Any]:
        have = self._ray.cluster_resources()
        gpus = config.backend.gpus(config.model_args) if have.get("GPU") else 0
        room = int(have["GPU"] // gpus if gpus else have.get("CPU", 1))
        count = config.workers or room
        if not room or count > room:
            needs = f"{gpus} GPUs" if gpus else "a CPU"
            raise UserError(
                f"{count} engines of {needs} each do not fit the cluster, which has room for {room}",
                "Give a smaller --workers",
            )
        actor = self._ray.remote(num_cpus=1, num_gpus=gpus)(_EngineActor)
        wanted = identity(config)
        return [actor.remote(config.model_dump(mode="json"), wanted) for _ in range(count)]

    def plan(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        """The chunks of each shard; a shard's rows share no chunk with another's."""
        shards: list[list[Prompt]] = [[] for _ in self._actors]
        for prompt in prompts:
            shards[self._shard(prompt)].append(prompt)
        plans = [actor.plan.remote(shard) for actor, shard in zip(self._actors, shards, strict=True)]
        return [chunk for plan in self._get(plans) for chunk in plan]

    def run(self, planned: Sequence[list[Prompt]]) -> Iterator[tuple[list[Prompt], list[Generated]]]:
        """Chunks as they finish, one under way per engine."""
        queues: list[deque[list[Prompt]]] = [deque() for _ in self._actors]
        for chunk in planned:
            queues[self._shard(chunk[0])].append(chunk)
        running: dict[Any, tuple[int, list[Prompt]]] = {}

        def start(index: int) -> None:
            if queues[index]:
                chunk = queues[index].popleft()
                running[self._actors[index].generate.remote(chunk)] = (index, chunk)

        for index in range(len(self._actors)):
            start(index)
        while running:
            done, _ = self._ray.wait(list(running), num_returns=1)
            index, chunk = running.pop(done[0])
            generated = self._get(done[0])
            start(index)
            yield chunk, generated

    def release(self) -> None:
        """End the actors, and the cluster if it was started here."""
        for actor in getattr(self, "_actors", []):
            self._ray.kill(actor)
        if self._started:
            self._ray.shutdown()

    def _get(self, results: Any) -> Any:
        try:
            return self._ray.get(results)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from None
            raise

    def _shard(self, prompt: Prompt) -> int:
        return shard_of(prompt.id, len(self._actors))


class _EngineActor:
    """Holds one engine in its own process."""

    def __init__(self, config: dict[str, Any], wanted: dict[str, Any]) -> None:
        self._config, self._wanted = GenerationConfig.model_validate(config), wanted

    def load(self) -> dict[str, object]:
        use_hub_token(self._config)
        found = identity(self._config)
        if different := [name for name, value in self._wanted.items() if found.get(name) != value]:
            raise UserError(
                f"a worker on {platform.node()} would answer differently: {', '.join(different)}",
                "Give every machine of the cluster the same model files, packages and devices",
            )
        self._worker = LocalWorker(self._config)
        return self._worker.defaults

    def plan(self, prompts: Sequence[Prompt]) -> list[list[Prompt]]:
        return self._worker.plan(prompts)

    def generate(self, chunk: list[Prompt]) -> list[Generated]:
        return next(generated for _, generated in self._worker.run([chunk]))
