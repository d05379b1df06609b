"""How long to wait before a server is asked again."""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 60.0
"""However long a server asks to wait, it is asked again after that."""

_FIRST_S, _LONGEST_BACK_OFF_S = 0.5, 10.0


class Pace:
    """Lets requests go one by one, at most so many a minute; 0 for no limit. Counts them."""

    def __init__(self, a_minute: float) -> None:
        self.requests = 0
        self._gap_s = 60 / a_minute if a_minute else 0.0
        self._next_s = 0.0
        self._lock = threading.Lock()

    def turn(self, stopped: threading.Event) -> None:
        """Wait until the next request may be sent, or ``stopped`` is set."""
        with self._lock:
            self.requests += 1
            at = max(time.monotonic(), self._next_s)
            self._next_s = at + self._gap_s
        stopped.wait(max(0.0, at - time.monotonic()))


def back_off_s(attempt: int) -> float:
    """Seconds after the ``attempt``-th failure, from 1: twice as long each time."""
    return float(min(_FIRST_S * 2.0 ** min(attempt - 1, 10), _LONGEST_BACK_OFF_S))


def retry_after_s(value: str, now: datetime) -> float:
    """Seconds that ``Retry-After`` asks for, as a number or a date (RFC 9110, 10.2.3); 0 where it asks for none."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            return 0.0
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_WAIT_S)
