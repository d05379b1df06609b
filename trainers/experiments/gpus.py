"""What GPUs can do, as their makers state it: for a plan made before one is at hand."""

from __future__ import annotations

from dataclasses import dataclass

from ...harness.core.registry import Registry


@dataclass(frozen=True)
class Gpu:
    """A GPU by its data sheet.

    Attributes:
        teraflops: dense half-precision matrix products, 10¹² operations a second.
        gigabytes: of memory.
        gigabytes_per_second: from and to that memory.
        bf16: whether it computes in bf16 itself.
    """

    name: str
    teraflops: float
    gigabytes: float
    gigabytes_per_second: float
    bf16: bool = True


GPUS: Registry[Gpu] = Registry("GPU")
for _gpu in (
    Gpu("t4", 65, 16, 320, bf16=False),
    Gpu("l4", 121, 24, 300),
    Gpu("a10", 125, 24, 600),
    Gpu("rtx-4090", 165, 24, 1008),
    Gpu("a100", 312, 40, 1555),
    Gpu("h100", 989, 80, 3350),
):
    GPUS.add(_gpu.name, _gpu, __name__)
