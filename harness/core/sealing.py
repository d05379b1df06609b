"""Seals of JSON files: a digest of their content among that content, so that what was edited is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import UserError
from .files import json_text, sha256_text

SEAL = "seal"


def content_digest(content: dict[str, Any]) -> str:
    """SHA-256 of a JSON object's content, whatever the order of its keys and however it is indented."""
    plain = json.loads(json_text(content))
    return sha256_text(json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def with_seal(content: dict[str, Any]) -> dict[str, Any]:
    """The content with its digest under ``seal``."""
    return {**content, SEAL: content_digest({key: content[key] for key in content if key != SEAL})}


def fits_seal(content: object) -> bool:
    """Whether a JSON object is what was sealed; also true of what was never sealed, as by earlier versions."""
    if not isinstance(content, dict) or content.get(SEAL) is None:
        return True
    return bool(content[SEAL] == with_seal(content)[SEAL])


def demand_seal(path: Path, content: object, remedy: str) -> None:
    """Raises:
    UserError: the content of that file was changed after it was written.
    """
    if not fits_seal(content):
        raise UserError(f"{path} was changed after it was written: its content does not fit its seal", remedy)
