"""``origin.json``: where a folder's weights come from, whose terms apply, and how they were converted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .. import __version__
from ..harness.core.errors import UserError
from ..harness.core.files import read_json, sha256_file, write_json
from ..harness.core.settings import Record, first_problem
from .causal import Converted

ORIGIN = "origin.json"
CONVERTER = 1
"""Rises whenever the same source comes to give other weights or another tokenizer."""
_REMEDY = "Fetch the model again into a new folder"


class Source(Record):
    """A file that was converted, or one that held it. ``package`` and ``version`` only of a registry's."""

    file: str
    sha256: str
    package: str | None = None
    version: str | None = None


class Origin(Record):
    """Where weights come from. ``name``, ``licence``, ``terms`` and ``origin`` are null of a user's own file;
    ``start_token`` is the token that the tokenizer forgot and now puts before every text, null where nothing was
    repaired; ``not_taken_over`` what the source holds that transformers does not look at; ``files`` are what was
    written, by name, with their digests."""

    name: str | None
    licence: str | None
    terms: str | None
    origin: str | None
    packed: Source
    wheels: list[Source]
    start_token: str | None
    not_taken_over: list[str]
    converter: int
    product_version: str
    files: dict[str, str]


def write_origin(folder: Path, packed: Source, converted: Converted, known: Mapping[str, Any]) -> Origin:
    """Describe a folder's files as they are.

    Args:
        folder: whole but for this file.
        packed: what was converted.
        converted: what the conversion found.
        known: the fields that only a model of the catalogue has.
    """
    origin = Origin(
        **{"name": None, "licence": None, "terms": None, "origin": None, "wheels": [], **known},
        packed=packed,
        start_token=converted.start_token,
        not_taken_over=list(converted.not_taken_over),
        converter=CONVERTER,
        product_version=__version__,
        files={path.name: sha256_file(path) for path in sorted(folder.iterdir())},
    )
    write_json(folder / ORIGIN, origin.model_dump(mode="json"))
    return origin


def read_origin(folder: Path) -> Origin:
    """Raises:
    UserError: there is none, or it is none.
    """
    path = folder / ORIGIN
    try:
        return Origin.model_validate(read_json(path, _REMEDY))
    except ValidationError as error:
        key, problem, _ = first_problem(error)
        raise UserError(f"{path}: key {key!r}: {problem}", _REMEDY) from None


def is_whole(folder: Path, packed_sha256: str) -> Origin | None:
    """The origin of a folder that today's converter would write again as it is; None of every other."""
    if not (folder / ORIGIN).is_file():
        return None
    origin = read_origin(folder)
    if origin.packed.sha256 != packed_sha256 or origin.converter != CONVERTER:
        return None
    same = all(
        (folder / name).is_file() and sha256_file(folder / name) == sha for name, sha in origin.files.items()
    )
    return origin if same else None
