"""One piece of work in this process, from its first step to its last; what fails is written down, not raised."""

from __future__ import annotations

import platform
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import NamedTuple

from ...harness.core.errors import Interrupted, UserError
from ...harness.core.holding import every, hold
from ...harness.core.memory import peak_bytes, release, reset_peak
from ...harness.core.secrets import redact
from ...harness.metrics.registry import release_encoders
from .job import Job
from .seals import seal
from .status import CellStatus, State, lock_file, read_status, write_status
from .work import Step, Work

ORPHAN_S = 90.0
"""How long the worker of a driver that was killed may go on before its cell is given up: longer than it takes a
cluster to end it, or a lock of another machine to run out."""

_LOOK_S = 2.0


class Failure(NamedTuple):
    """Why a piece of work is not done, and which of its steps are."""

    reason: str
    finished: tuple[str, ...] = ()


def do(work: Work, job: Job, told: Callable[[Step], object] = lambda step: None) -> Failure | None:
    """Do a piece of work, or go on with it; its status files say how far it is.

    Args:
        work: to do.
        job: what it is of.
        told: hears of every step before it begins.

    Returns:
        Why it failed; None if it is done.

    Raises:
        Interrupted: the user ended it.
    """
    try:
        with ExitStack() as held:
            for label in work.labels:
                held.enter_context(hold(lock_file(job.out, label), f"{label} in {job.out}", ORPHAN_S))
            return _Doing(work, job).run(told)
    except UserError as error:
        # Of the locks and the status files themselves.
        if isinstance(error, Interrupted):
            raise
        return Failure(str(error))
    finally:
        # What failed held its model by the error's own frames.
        _release()


def given_up(work: Work, job: Job, reason: str) -> Failure:
    """Write down that a piece of work failed whose worker could not do so itself."""
    finished: tuple[str, ...] = ()
    for label in work.labels:
        status = read_status(job.out, label) or CellStatus(state=State.FAILED)
        finished = tuple(status.finished)
        write_status(job.out, label, status.model_copy(update={"state": State.FAILED, "reason": reason}))
    return Failure(reason, finished)


class _Doing:
    def __init__(self, work: Work, job: Job) -> None:
        self._work, self._job = work, job
        self._finished: list[str] = []
        self._memory: tuple[int, int | None] = (0, None)
        before = [read_status(job.out, label) for label in work.labels]
        self._seconds = dict(next((each.seconds for each in before if each), {}))

    def run(self, told: Callable[[Step], object]) -> Failure | None:
        reset_peak()
        with every(_LOOK_S, self._look):
            for step in self._work.steps(self._job):
                told(step)
                self._write(State.RUNNING, step=step.name)
                begun = time.monotonic()
                try:
                    step.do()
                except Interrupted:
                    raise
                except Exception as error:
                    return self._failed(step, error)
                finally:
                    spent = self._seconds.get(step.name, 0.0) + time.monotonic() - begun
                    self._seconds[step.name] = round(spent, 3)
                    self._look()
                self._finished.append(step.name)
                _release()
        for label in self._work.labels if self._work.whole else ():
            self._write(State.DONE, label, seal=seal(self._job, label))
        return None

    def _failed(self, step: Step, error: Exception) -> Failure:
        told, defect = str(error), ""
        if not isinstance(error, UserError):
            told = f"{type(error).__name__}: {' '.join(str(error).split())}"
            defect = redact("".join(traceback.format_exception(error)))
        reason = redact(f"{step.name}: {told}")
        with suppress(UserError):
            # A full disk that it failed by may be too full for this, too.
            self._write(State.FAILED, step=step.name, reason=reason, traceback=defect)
        return Failure(reason, tuple(self._finished))

    def _write(self, state: State, *labels: str, **more: str) -> None:
        status = CellStatus(
            state=state,
            host=platform.node(),
            begun=time.time(),
            seconds=self._seconds,
            peak_memory_bytes=self._memory[0] or None,
            device_memory_bytes=self._memory[1],
            finished=self._finished,
            **more,  # type: ignore[arg-type]
        )
        for label in labels or self._work.labels:
            write_status(self._job.out, label, status)

    def _look(self) -> None:
        """The measured parts of the work start their own peaks, so the largest one is kept here."""
        taken, of = memory()
        self._memory = max(self._memory[0], taken), of


def memory() -> tuple[int, int | None]:
    """Peak bytes taken on the GPU, and how many it has; of this process, and None, where there is no GPU."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved()), int(torch.cuda.get_device_properties(0).total_memory)
    return peak_bytes(), None


def _release() -> None:
    """Give back what a step has taken, before a training or another engine looks how much there is."""
    release_encoders()
    release()
