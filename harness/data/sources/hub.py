"""Datasets of the Hugging Face hub by their id, also those that the library keeps on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .archives import said
from .base import Note, Source, joined
from .readers import Option, by_ending, source
from .saved_to_disk import opened_split

SUBSET = Option("subset", "Subset (configuration) of a Hugging Face dataset that has several.", among="subsets")
# Seconds.
_PATIENCE = 4
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_hub_id(path: Path) -> bool:
    """Whether a path that does not exist has the form of an id: ``owner/name``, with no ending of a file."""
    text = str(path)
    return (
        _ID.fullmatch(text) is not None
        and by_ending(text) is None
        and not path.exists()
        and not path.parent.exists()
    )


@source(name="Hugging Face", options=[SUBSET])
def open_hub(path: Path, subset: str | None = None) -> Source:
    """Open a dataset of the hub; of several splits all rows are read.

    Raises:
        UserError: it cannot be reached, is not there, has several subsets, or needs code of its own.
    """
    import datasets

    name = path.as_posix()
    if not _reached():
        # Else each of many files is tried five times. What the library keeps on this machine is read all the same.
        datasets.config.HF_HUB_OFFLINE = True
    try:
        loaded = datasets.load_dataset(name, subset)
    except Exception as error:
        raise UserError(
            f"{name} is no file or folder here, and as a Hugging Face dataset: {_told(error)}", _remedy(error)
        ) from error
    parts = {str(split): opened_split(path / str(split), rows) for split, rows in dict(loaded).items()}
    notes = [Note("reading.hub", {"name": name})]
    return joined(path, parts, notes=notes)


def _reached() -> bool:
    """Whether the hub answers, through a proxy too."""
    from huggingface_hub import constants, get_session

    if constants.is_offline_mode():
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=_PATIENCE)
    except Exception:
        # Its library sends with requests or with httpx, by its release; their errors have no common kind.
        return False
    return True


def _told(error: Any) -> str:
    text = said(error)
    return f"{type(error).__name__}, {text}" if len(text) < 300 else f"{type(error).__name__}, {text[:300]}..."


def _remedy(error: Exception) -> str:
    if "onfig" in str(error) and "pick" in str(error).lower():
        return "Choose one with --subset"
    return "Correct the path or the id; or save it with save_to_disk where there is a network, and give that folder"
