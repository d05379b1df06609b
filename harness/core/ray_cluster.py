"""Ray, where it is installed: the cluster that ``RAY_ADDRESS`` names, or one of this machine while it is needed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import UserError


def installed() -> Any:
    """Ray itself.

    Raises:
        UserError: it is not installed.
    """
    # Read when Ray is imported. Who asked for the work says himself whose worker died.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "worker died or was killed|killed due to memory")
    try:
        import ray
    except ImportError:
        raise UserError("Ray is not installed", "Install the extra: pip install 'maqa-severity[ray]'") from None
    return ray


def connect(cpus: int | None = None, object_store_bytes: int | None = None) -> tuple[Any, bool]:
    """Ray, connected, and whether that was done here, so that it is to be shut down here.

    Args:
        cpus: logical processors of a cluster of this machine; None for as many as it has.
        object_store_bytes: its shared memory; None for Ray's own choice.

    Raises:
        UserError: Ray is not installed, or the cluster cannot be reached.
    """
    ray = installed()
    if ray.is_initialized():
        return ray, False
    # Nobody is told that it runs, and it asks nobody.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    own: dict[str, Any] = {}
    if not os.environ.get("RAY_ADDRESS"):
        own = {
            "address": "local",
            "num_cpus": cpus,
            "object_store_memory": object_store_bytes,
            "include_dashboard": False,
        }
    ended_by = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", **own)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"cannot connect to Ray: {reason}", "Check RAY_ADDRESS, or unset it") from error
    if callable(ended_by):
        # Ray has put its own in the place of the program's.
        signal.signal(signal.SIGTERM, ended_by)
    return ray, True


@contextmanager
def cluster(cpus: int | None = None, object_store_bytes: int | None = None) -> Iterator[Any]:
    """Ray, connected within; a cluster that was started here ends with it.

    Raises:
        UserError: as ``connect``.
    """
    ray, mine = connect(cpus, object_store_bytes)
    try:
        yield ray
    finally:
        if mine:
            ray.shutdown()
