"""Several pieces of work at once, as Ray tasks on the GPUs or processors of one machine or many."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...harness.core.errors import UserError
from ...harness.core.ray_cluster import cluster
from .grid import Said
from .job import Job
from .nodes import Needs, demand_everywhere
from .one import Failure, do, given_up
from .room import Room, as_options, room_of
from .work import Work

_DEATHS = 5
"""How often the worker of one piece may die before it is given up."""

_OBJECTS_BYTES = 128 * 2**20
"""What passes between driver and workers are paths and reasons: a cluster of this machine needs no more room."""


class RayEngine:
    """Places each piece where there is room for it, and does it again where its worker or machine died.

    Uses the cluster of ``RAY_ADDRESS`` if that is set, else one of this machine for as long as it takes. Everything
    that the work reads and writes must lie under the same paths on every machine.

    Args:
        workers: the most pieces at once; None for as many as there is room for.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers

    def __call__(self, works: Sequence[Work], job: Job, said: Said) -> dict[str, Failure]:
        """Do them all.

        Raises:
            UserError: Ray is not installed, or a machine of the cluster lacks what the work needs.
            Interrupted: the user ended it.
        """
        import torch

        threads = torch.get_num_threads()
        with cluster(self._workers and self._workers * threads, _OBJECTS_BYTES) as ray:
            needs = Needs.of(job)
            demand_everywhere(ray, needs)
            return _Placing(ray, works, job, needs, said, threads, self._workers).run()


class _Placing:
    def __init__(
        self, ray: Any, works: Sequence[Work], job: Job, needs: Needs, said: Said, threads: int, most: int | None
    ) -> None:
        self._ray, self._job, self._said = ray, job, said
        self._threads, self._most = threads, most
        # Without what was read here already.
        self._given = ray.put((replace(job), needs, threads))
        self._task = ray.remote(max_retries=0)(_task)
        self._waiting = deque(works)
        self._running: dict[Any, tuple[Work, Room, float]] = {}
        self._deaths: Counter[tuple[str, ...]] = Counter()
        self._failed: dict[str, Failure] = {}
        self._all, self._ended = len(works), 0

    def run(self) -> dict[str, Failure]:
        while self._waiting or self._running:
            self._place()
            done, _ = self._ray.wait(list(self._running), timeout=2.0)
            for task in done:
                work, _, begun = self._running.pop(task)
                self._end(work, task, time.monotonic() - begun)
        return self._failed

    def _place(self) -> None:
        """Start what there is room for, in order; a piece that is larger than any machine has a whole one."""
        nodes = [_room(node["Resources"]) for node in self._ray.nodes() if node["Alive"]]
        if not nodes:
            return
        largest = Room(*(max(getattr(node, part) for node in nodes) for part in ("cpus", "gpus", "memory")))
        total = sum(nodes, Room())
        while self._waiting and (self._most is None or len(self._running) < self._most):
            work = self._waiting[0]
            room = room_of(work, self._job, largest, self._threads)
            if room.gpus > total.gpus:
                raise UserError(
                    f"{', '.join(work.labels)} takes {room.gpus:g} GPUs, and the cluster has {total.gpus:g}",
                    "Give a smaller tensor_parallel_size in evaluation.model_args, or a larger cluster",
                )
            taken = sum((each for _, each, _ in self._running.values()), Room())
            if self._running and not (taken + room).within(total):
                return
            self._waiting.popleft()
            task = self._task.options(**as_options(room)).remote(work, self._given)
            self._running[task] = work, room, time.monotonic()

    def _end(self, work: Work, task: Any, seconds: float) -> None:
        names = ", ".join(work.labels)
        try:
            failure = self._ray.get(task)
        except self._ray.exceptions.RayTaskError as error:
            mendable = isinstance(error.cause, UserError)
            reason = str(error.cause) if mendable else f"{type(error.cause).__name__}: {error.cause}"
            failure = given_up(work, self._job, reason)
        except self._ray.exceptions.RayError as error:
            self._deaths[work.labels] += 1
            deaths, why = self._deaths[work.labels], type(error).__name__
            if deaths < _DEATHS:
                self._said(f"{names}: its worker died ({why}); it goes on, {deaths} of {_DEATHS}", "warning")
                self._waiting.appendleft(work)
                return
            failure = given_up(work, self._job, f"its worker died {deaths} times, the last time by {why}")
        self._ended += 1
        head = f"[{self._ended} of {self._all}] {names}"
        if failure:
            self._said(f"{head} failed: {failure.reason}", "warning")
            self._failed |= dict.fromkeys(work.labels, failure)
        else:
            self._said(f"{head}: {seconds:.1f} s", "step")


def _task(work: Work, given: tuple[Job, Needs, int]) -> Failure | None:
    """A piece of work in a worker's process.

    Raises:
        UserError: this machine, which joined the cluster later, lacks what is needed.
    """
    import torch

    job, needs, threads = given
    needs.demand_here()
    if not torch.cuda.is_available():
        # Sums hang on how many threads share them.
        torch.set_num_threads(threads)
    return do(work, job)


def _room(resources: dict[str, float]) -> Room:
    return Room(resources.get("CPU", 0.0), resources.get("GPU", 0.0), resources.get("memory", 0.0))
