"""Who answers, by name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from .backends import BACKENDS


class _Name(StrEnum):
    @classmethod
    def _missing_(cls, value: object) -> None:
        # Says which names there are.
        BACKENDS[str(value)]


if TYPE_CHECKING:
    Kind = _Name
else:
    Kind = _Name(
        "Kind", {name.removeprefix("local-").replace("-", "_").upper(): name for name in BACKENDS}, module=__name__
    )
    Kind.__doc__ = "The name of a backend: ``HF``, ``VLLM``, ..., one member for each."
