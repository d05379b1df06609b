"""Memory: the peak of this process, what is left, and giving back what nothing needs any more."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def reset_peak() -> None:
    """Start measuring anew; where the system does not allow that, peaks count from the start of the process."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_bytes() -> int:
    """Peak resident memory since ``reset_peak``."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        if lines:
            return int(lines[0].split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector of cycles: for what makes none but remembers much to look through."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def available_bytes() -> int | None:
    """Memory that this process may still take: the machine's, or what is left of its control group's limit; None
    where the system does not say."""
    found = [room for room in (_machine(), _group()) if room is not None]
    return min(found, default=None)


def _machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)


def _group(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    try:
        limit, used = ((folder / name).read_text().strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return None
    return None if limit == "max" else max(0, int(limit) - int(used))


def give_back() -> None:
    """Return to the system what this process has freed and its allocator still holds, where it can be told to."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def release() -> None:
    """Collect what only cycles hold, such as a trainer and its callbacks, and give its memory back: a GPU's to the
    GPU, where an engine of another process or library will look for it, and the rest to the system."""
    gc.collect()
    # Whoever has not loaded it holds nothing on a GPU.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    give_back()
