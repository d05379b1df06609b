"""What is said of a base that cannot be loaded. Nothing here loads torch or transformers."""

from __future__ import annotations

from pathlib import Path

from ...harness.core.errors import UserError
from ...harness.core.hub import out_of_reach

LOAD = "Give a folder or a hub id of a causal language model; without network, download it beforehand"

_OUT_OF_REACH = "it is not in the hub's cache, and the hub does not answer"


def cannot_load(base: str, error: Exception) -> UserError:
    """What an error of transformers means for the user."""
    return UserError(f"cannot load base {base}: {reason(base, first_line(error))}", LOAD)


def demand_in_reach(base: str, revision: str | None) -> None:
    """Look for a base in the hub's cache, where the hub does not answer.

    Raises:
        UserError: it is a hub id, and not there.
    """
    if out_of_reach(base, revision):
        raise UserError(f"cannot load base {base}: {reason(base, _OUT_OF_REACH)}", LOAD)


def reason(base: str, said: str) -> str:
    """Why a base cannot be loaded, given what transformers said."""
    # The hub's client only says of a mistyped folder that it is no hub id, or that it could not be reached.
    path = Path(base)
    if "couldn't connect" in said:
        said = _OUT_OF_REACH
    if path.exists():
        return said
    if path.is_absolute() or base.startswith(".") or len(path.parts) > 2:
        return "there is no such folder"
    near = len(path.parts) > 1 and path.parent.is_dir()
    return f"there is no such folder; if a hub id was meant: {said}" if near else said


def first_line(error: Exception) -> str:
    """Of what an error says, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
