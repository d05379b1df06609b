"""All work of an experiment, by whichever engine, in one driver at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ...harness.core.holding import Holder, hold, holder
from .job import Job
from .one import Failure
from .seals import sealed
from .status import sweep
from .work import Work

_LOCK = ".driver.lock"

Said = Callable[[str, str], object]
"""Hears a line, and how it is meant: ``step``, ``done`` or ``warning``."""


class Engine(Protocol):
    """Does pieces of work, in any order and anywhere; what fails does not keep the others from being done."""

    def __call__(self, works: Sequence[Work], job: Job, said: Said) -> dict[str, Failure]:
        """The cells and floors that are not done, by label."""
        ...


@contextmanager
def driving(out: Path) -> Iterator[None]:
    """Within, no other process drives the experiment in this folder.

    Raises:
        UserError: one does.
    """
    existed = out.is_dir()
    try:
        with hold(out / _LOCK, f"the experiment in {out}"):
            yield
    finally:
        if not existed and out.is_dir() and not any(out.iterdir()):
            out.rmdir()


def driver_of(out: Path) -> Holder | None:
    """Who drives the experiment in a folder now."""
    return holder(out / _LOCK)


def do_all(works: Sequence[Work], job: Job, engine: Engine, said: Said) -> dict[str, Failure]:
    """Do all that is not done, and return what failed. What failed before is tried again."""
    sweep(job.out)
    left = [work for work in works if not all(sealed(job, label) for label in work.labels)]
    if done := sum(len(work.labels) for work in works) - sum(len(work.labels) for work in left):
        said(f"{done} of {len(job.labels)} cells and trivial systems were done already", "done")
    return engine(left, job, said) if left else {}
