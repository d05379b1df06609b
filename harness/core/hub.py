"""The model hub and its cache, asked without loading anything."""

from __future__ import annotations

import logging
from pathlib import Path

CONFIG = "config.json"
"""The file that every model on the hub has."""

_TIMEOUT_S = 10
_log = logging.getLogger(__name__)


def hub_answers(model: str) -> bool:
    """Ask the hub once: its own client takes a minute of retries to find out that there is no network."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        get_hf_file_metadata(hf_hub_url(model, CONFIG), timeout=_TIMEOUT_S)
    except (HfHubHTTPError, HFValidationError):
        return True
    except Exception as error:  # Whatever the client's network library of the day raises.
        _log.info("the hub does not answer (%s): looking for %s in the local cache", error, model)
        return False
    return True


def in_cache(model: str, file: str = CONFIG, revision: str | None = None) -> Path | None:
    """A model's file in the hub's cache; None where it is not there, or ``model`` is no hub id."""
    from huggingface_hub.errors import HFValidationError

    try:
        return _cached(model, file, revision)
    except HFValidationError:
        return None


def out_of_reach(model: str, revision: str | None = None) -> bool:
    """Whether ``model`` is a hub id that the cache does not hold. Of use where the hub does not answer."""
    from huggingface_hub.errors import HFValidationError

    try:
        return not Path(model).is_dir() and _cached(model, CONFIG, revision) is None
    except HFValidationError:
        return False


def _cached(model: str, file: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, file, revision=revision)
    return Path(found) if isinstance(found, str) else None
