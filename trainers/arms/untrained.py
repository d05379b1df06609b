"""The arm ``base``."""

from __future__ import annotations

from .base import Arm, arm


@arm("base")
class Untrained(Arm):
    """The base as it is, not trained at all."""

    trains = False
