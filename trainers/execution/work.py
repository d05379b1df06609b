"""Pieces of an experiment's work: what one worker does without anybody else, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from ...harness.generation.decoding import Preset
from .job import Job

TRAIN = "train"


def evaluation(preset: Preset) -> str:
    """What the evaluation under a decoding is called among the steps."""
    return f"evaluate {preset}"


class Step(NamedTuple):
    """One step of a piece of work; what is done of it already is not done again."""

    name: str
    do: Callable[[], object]


class Work(Protocol):
    """A piece of work for one worker; ``labels`` are the cells and floors that it does, ``device`` whether it
    computes on one, ``whole`` whether nothing of them is left to do after it.
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def device(self) -> bool: ...

    @property
    def whole(self) -> bool: ...

    def steps(self, job: Job) -> Iterator[Step]: ...


@dataclass(frozen=True)
class CellWork:
    """A cell from its training to its last evaluation."""

    label: str
    device = True
    whole = True

    @property
    def labels(self) -> tuple[str, ...]:
        """Itself."""
        return (self.label,)

    def steps(self, job: Job) -> Iterator[Step]:
        """Training, then every decoding."""
        yield Step(TRAIN, partial(job.train, self.label))
        yield from evaluations(job, self.label)


@dataclass(frozen=True)
class TrainingWork:
    """The training of a cell alone: its evaluations come with those of others."""

    label: str
    device = True
    whole = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Itself."""
        return (self.label,)

    def steps(self, job: Job) -> Iterator[Step]:
        """The training."""
        yield Step(TRAIN, partial(job.train, self.label))


@dataclass(frozen=True)
class FloorWork:
    """A trivial system under every decoding."""

    label: str
    device = False
    whole = True

    @property
    def labels(self) -> tuple[str, ...]:
        """Itself."""
        return (self.label,)

    def steps(self, job: Job) -> Iterator[Step]:
        """Every decoding."""
        yield from evaluations(job, self.label)


def evaluations(job: Job, label: str) -> Iterator[Step]:
    """A cell or floor under every decoding."""
    for preset in job.experiment.evaluation.decodings:
        yield Step(evaluation(preset), partial(job.evaluate, label, preset))


def all_work(job: Job) -> Sequence[Work]:
    """All of an experiment's, in the order of its cells; no piece needs another one."""
    return [*map(CellWork, job.cells), *map(FloorWork, job.floors)]
