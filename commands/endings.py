"""How a command ends: its exit status, and one line for whatever the user can mend."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..harness.core.console import Terminal
from ..harness.core.errors import Interrupted, UserError
from ..harness.core.refused import refusal
from ..harness.core.secrets import redact

WRONG = 2
"""Of what the user can mend."""
CLOSED = 128 + signal.SIGPIPE
"""Whoever reads the output has read enough, as ``head`` does."""
_CTRL_C = 128 + signal.SIGINT
_POLITE = (signal.SIGTERM, signal.SIGHUP)


class ClosedPipeError(Exception):
    """A ``BrokenPipeError`` that click is not to take for one of standard output."""


def ended(command: Callable[[], object]) -> int:
    """Run a command to its end, whatever that is. Returns the exit status.

    2 is of a ``UserError`` and of what the system refuses, such as room on a full disk; 128 and its number of a
    signal: SIGINT (Ctrl-C), SIGTERM and SIGHUP end a command in the same way, and SIGPIPE stands for an output that
    nobody reads any more. A defect keeps its traceback.
    """
    console = Terminal(stderr=True, soft_wrap=True)

    def tell(line: str) -> None:
        with suppress(OSError):
            console.print(f"maqa: {redact(line)}", markup=False)

    with _as_interrupt() as signalled:
        try:
            status = _finished(command)
        except Interrupted as error:
            tell(str(error))
            return 128 + signalled()
        except UserError as error:
            tell(str(error))
            return WRONG
        except KeyboardInterrupt:
            status = _CTRL_C
        except Exception as error:
            if _output_closed(error):
                return CLOSED
            if (found := refusal(error)) is None:
                raise
            _forget_output()
            tell(f"{found.problem}. {found.remedy}")
            return WRONG
        if status == _CTRL_C:
            tell("interrupted. Run the same command again to continue")
            return 128 + signalled()
        return status


def _finished(command: Callable[[], object]) -> int:
    try:
        command()
        status = 0
    except SystemExit as done:
        if done.code is not None and not isinstance(done.code, int):
            raise
        status = done.code or 0
    # What waits in the buffer meets a full disk or a closed pipe only here.
    sys.stdout.flush()
    return status


@contextmanager
def _as_interrupt() -> Iterator[Callable[[], int]]:
    """Within, a polite end is one like Ctrl-C; yields what tells the number of the last signal."""
    last, process = [int(signal.SIGINT)], os.getpid()

    def end(number: int, _: object) -> None:
        if os.getpid() != process:
            # A worker that was forked from this process ends as any other.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        last[0] = number
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        # What was started by `nohup` goes on when its terminal is closed.
        taken = [number for number in _POLITE if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, end) for number in taken}
    try:
        yield lambda: last[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _output_closed(error: Exception) -> bool:
    """Whether nobody reads standard output any more; then nothing is written to it at the end, either."""
    if not isinstance(error, BrokenPipeError | ClosedPipeError):
        return False
    try:
        looking = select.poll()
        looking.register(sys.stdout.fileno(), 0)
        closed = any(event & select.POLLERR for _, event in looking.poll(0))
    except (OSError, ValueError):
        return False
    if closed:
        _forget_output()
    return closed


def _forget_output() -> None:
    """Let the interpreter's last flush meet no error again."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
