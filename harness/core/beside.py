"""Work that a process of its own does beside this one, where there is a core for it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import parent_process


@contextmanager
def beside(work: Callable[..., object], *arguments: object) -> Iterator[Callable[[], None]]:
    """Do ``work(*arguments)`` in a process of its own while the body runs; yields what waits for its end.

    The process says nothing, and ends with this one, however this one ends. What it fails at is left to who does
    the same work again and goes on where it stopped. On a single core nothing is done, and there is nothing to wait
    for.

    Args:
        work: a function of a module, with arguments that can be sent to another process.
    """
    if (os.cpu_count() or 1) < 2:
        yield lambda: None
        return
    process = multiprocessing.get_context("spawn").Process(target=_silently, args=(work, arguments))
    process.start()
    try:
        yield process.join
    finally:
        process.terminate()
        process.join()


def _silently(work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    work(*arguments)


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
    # No more than a kill: whatever is half done is gone on with by the same command.
    os._exit(1)
