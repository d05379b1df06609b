"""How much of a machine a piece of work takes: as measured of others of its base, before that as estimated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..experiments.config import training_config
from ..lm.config import Method
from .job import Job
from .status import CellStatus, State, read_status
from .work import Work

_SPARE = 1.1
_CONTEXT_BYTES = 2**30
"""What a process takes of a GPU besides its tensors, at most."""

_LIBRARIES_BYTES = 2 * 2**30
_TIMES_WEIGHTS = {Method.FULL: 8, Method.LORA: 4, Method.QLORA: 4}
"""Estimates, where nothing was measured: weights, gradients and Adam's two moments in float32 over weights of 16
bits; a frozen base in float32 and what goes through it."""


@dataclass(frozen=True)
class Room:
    """Logical resources, as Ray counts them: processors, GPUs, and bytes of memory."""

    cpus: float = 0.0
    gpus: float = 0.0
    memory: float = 0.0

    def __add__(self, other: Room) -> Room:
        return Room(self.cpus + other.cpus, self.gpus + other.gpus, self.memory + other.memory)

    def within(self, other: Room) -> bool:
        """Whether there is as much."""
        rounding = 1e-6
        mine, others = (self.cpus, self.gpus, self.memory), (other.cpus, other.gpus, other.memory)
        return all(one <= another + rounding for one, another in zip(mine, others, strict=True))


def room_of(work: Work, job: Job, largest: Room, threads: int) -> Room:
    """What a piece of work asks a cluster for.

    On GPUs a whole one, or as many as its engine says, until a finished cell of its base has shown how much of one
    it takes; several such share one. Engines that take what a GPU has, such as vLLM, get whole ones always.
    Elsewhere ``threads`` processors and the memory that was measured or is estimated.

    Args:
        work: to do.
        job: what it is of.
        largest: the most of everything that one machine has.
        threads: how many processors a cell computes with, where it has no GPU.
    """
    measured = list(_measured(work, job))
    if work.device and largest.gpus:
        if job.backend.name == "vllm":
            return Room(1, job.backend.gpus(job.experiment.evaluation.model_args))
        return Room(1, gpu_share(measured))
    taken = max((each.peak_memory_bytes or 0 for each in measured), default=0)
    memory = _SPARE * taken if taken else _estimated(work, job)
    return Room(min(threads, largest.cpus), 0.0, min(memory, largest.memory))


def gpu_share(measured: Iterable[CellStatus]) -> float:
    """The share of a GPU, in hundredths, that a cell takes like those measured; 1 where none was."""
    known = [
        (each.peak_memory_bytes, each.device_memory_bytes)
        for each in measured
        if each.peak_memory_bytes and each.device_memory_bytes
    ]
    if not known:
        return 1.0
    taken, of = max(peak for peak, _ in known), min(total for _, total in known)
    return min(1.0, math.ceil(100 * (_SPARE * taken + _CONTEXT_BYTES) / of) / 100)


def _measured(work: Work, job: Job) -> Iterable[CellStatus]:
    """What finished work of the same bases left, or finished floors for a floor."""
    bases = _bases(work, job)
    for label in job.labels:
        cell = job.cells.get(label)
        status = read_status(job.out, label)
        if status and status.state is State.DONE and ((cell.model.name in bases) if cell else not bases):
            yield status


def _bases(work: Work, job: Job) -> set[str]:
    return {job.cells[label].model.name for label in work.labels if label in job.cells}


def _estimated(work: Work, job: Job) -> float:
    """Bytes, by the weights' files; of a base on the hub, which lies anywhere, only what the libraries take."""
    needed = 0.0
    for label in work.labels:
        if label not in job.cells:
            continue
        cell = job.cells[label]
        method = training_config(job.experiment, cell.model, cell.seed).method
        folder = Path(job.base(cell.model))
        weights = sum(path.stat().st_size for path in folder.glob("*.safetensors")) if folder.is_dir() else 0
        needed = max(needed, _TIMES_WEIGHTS[method] * weights)
    return _LIBRARIES_BYTES + needed


def as_options(room: Room) -> Mapping[str, float]:
    """As Ray takes them."""
    return {"num_cpus": room.cpus, "num_gpus": room.gpus, "memory": int(room.memory)}
