"""Typed records from JSON: what is wrong with one is a line with the place and the key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import UserError
from .files import sha256_text
from .settings import first_problem

_Model = TypeVar("_Model", bound=BaseModel)


def validated(model: type[_Model], value: Any, where: str, remedy: str) -> _Model:
    """``value`` as a record of ``model``.

    Raises:
        UserError: it is none; the message names ``where`` and the key, and ends with ``remedy``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        key, problem, _ = first_problem(error)
        raise UserError(f"{where} key {key!r}: {problem}", remedy) from None


def read_numbered(path: Path, remedy: str) -> Sequence[tuple[int, dict[str, Any]]]:
    """The objects of a JSON-lines file with their line numbers; empty lines are passed over.

    Raises:
        UserError: the file cannot be read, or a line is no JSON object.
    """
    try:
        # Not splitlines(): a text may hold U+2028 and its kin, which JSON leaves as they are.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}", remedy) from error
    return [(number, _object(path, number, line, remedy)) for number, line in enumerate(lines, 1) if line.strip()]


def files_digest(*files: Path) -> str:
    """Digest of the texts of several files, one after the other."""
    return sha256_text("".join(file.read_text(encoding="utf-8") for file in files).removesuffix("\n"))


def _object(path: Path, number: int, line: str, remedy: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(f"{path} line {number} is not JSON: {error.msg}", remedy) from error
    if not isinstance(record, dict):
        raise UserError(f"{path} line {number} is not an object", remedy)
    return record
