"""One piece of work after the other, in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .grid import Said
from .job import Job
from .one import Failure, do
from .work import Step, Work


def plain(works: Sequence[Work], job: Job, said: Said) -> dict[str, Failure]:
    """Do them in their order.

    Raises:
        Interrupted: the user ended it.
    """
    failed: dict[str, Failure] = {}
    for number, work in enumerate(works, 1):
        names = ", ".join(work.labels)

        def told(step: Step, head: str = f"[{number} of {len(works)}] {names}") -> None:
            said(f"{head}: {step.name}", "step")

        begun = time.monotonic()
        if failure := do(work, job, told):
            said(f"{names} failed: {failure.reason}", "warning")
            failed |= dict.fromkeys(work.labels, failure)
        else:
            said(f"    {time.monotonic() - begun:.1f} s", "done")
    return failed
