"""The arm ``ce``."""

from __future__ import annotations

from .base import Arm, arm


@arm("ce")
class CrossEntropy(Arm):
    """Plain cross-entropy."""
