"""Where the numbers of a training are sent to besides its own log: trackers, through transformers' integrations."""

from __future__ import annotations

import importlib.util
import netrc
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from ...harness.core.errors import UserError

FOLDER = "tensorboard"
"""Of TensorBoard's event files, inside the checkpoint's folder."""

PROJECT = "maqa-severity"
_WANDB = "api.wandb.ai"
_TIMEOUT_S = 3.0


class Tracker(StrEnum):
    """Who is told: local files for TensorBoard, a local dashboard, or Weights & Biases."""

    TENSORBOARD = "tensorboard"
    TRACKIO = "trackio"
    WANDB = "wandb"


_MODULES = {
    Tracker.TENSORBOARD: ("tensorboard", "tensorboardX"),
    Tracker.TRACKIO: ("trackio",),
    Tracker.WANDB: ("wandb",),
}
"""Any of which serves."""


def demand_trackers(trackers: Sequence[Tracker]) -> None:
    """Raises:
    UserError: a tracker's package is not installed.
    """
    for tracker in trackers:
        modules = _MODULES[tracker]
        if not any(importlib.util.find_spec(module) for module in modules):
            raise UserError(
                f"report_to {tracker} needs a package that is not installed",
                f"Install it with `pip install {modules[-1]}`, or leave {tracker} out of report_to",
            )


@contextmanager
def tracking(trackers: Sequence[Tracker], out: Path, announce: Callable[[str], None]) -> Iterator[None]:
    """Inside, the trackers know where to write; what the user's environment says of them comes first.

    Weights & Biases without a key or without network writes offline files into ``out``, which is announced.
    """
    given: dict[str, str] = {}
    if Tracker.TENSORBOARD in trackers:
        given["TENSORBOARD_LOGGING_DIR"] = str(out / FOLDER)
    if Tracker.WANDB in trackers:
        given |= {"WANDB_PROJECT": PROJECT, "WANDB_DIR": str(out)}
        if "WANDB_MODE" not in os.environ and (why := _offline()):
            given["WANDB_MODE"] = "offline"
            announce(f"Weights & Biases: {why}, so the run is kept offline in {out}; `wandb sync` sends it later")
    before = {name: os.environ.get(name) for name in given}
    os.environ.update({name: value for name, value in given.items() if before[name] is None})
    try:
        yield
    finally:
        for name in given:
            if before[name] is None:
                os.environ.pop(name, None)


def _offline() -> str:
    """Why nothing can be sent; empty where it can."""
    if not os.environ.get("WANDB_API_KEY") and not _has_netrc():
        return "no key is set (WANDB_API_KEY, or `wandb login`)"
    try:
        socket.create_connection((_WANDB, 443), _TIMEOUT_S).close()
    except OSError:
        return f"{_WANDB} does not answer"
    return ""


def _has_netrc() -> bool:
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        return netrc.netrc(path).authenticators(_WANDB) is not None
    except (OSError, netrc.NetrcParseError):
        return False
