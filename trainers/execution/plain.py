"""One piece of work after the other, in this process."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...harness.core.errors import Interrupted
from .grid import Said
from .job import Job
from .one import Failure, do
from .work import CellWork, Step, TrainingWork, Work


def plain(works: Sequence[Work], job: Job, said: Said) -> dict[str, Failure]:
    """Do them in their order.

    Raises:
        Interrupted: the user ended it.
    """
    failed = _answers_ahead(works, job, said) if job.backend.shares else {}
    works = [work for work in works if not failed.keys() & {*work.labels}]
    return failed | _one_by_one(works, job, said)


def _answers_ahead(works: Sequence[Work], job: Job, said: Said) -> dict[str, Failure]:
    """Train all cells, then let one engine answer for all of a base; returns those whose training failed."""
    labels = [work.label for work in works if isinstance(work, CellWork)]
    failed = _one_by_one([TrainingWork(label) for label in labels], job, said)
    trained = [label for label in labels if label not in failed]
    for preset in job.experiment.evaluation.decodings:
        said(f"answers of {len(trained)} checkpoints, by one engine for each base ({preset})", "step")
        try:
            job.answer_ahead(trained, preset)
        except Interrupted:
            raise
        except Exception as error:
            # Whose fault it is shows when each is evaluated by itself.
            said(f"not by one engine: {error}", "warning")
    return failed


def _one_by_one(works: Sequence[Work], job: Job, said: Said) -> dict[str, Failure]:
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
