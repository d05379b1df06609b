"""JSON, one object a line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .archives import open_bytes
from .base import Batch, Note, Row, Source, batched
from .encodings import ENCODING, encoding_of
from .finish import check_width
from .readers import source


@source(".jsonl", ".ndjson", options=[ENCODING])
def open_jsonl(path: Path, encoding: str | None = None) -> Source:
    """Open a file with one JSON object a line; its columns are the keys of all rows. A file that is one JSON
    document is read as such.

    Raises:
        UserError: the file is in no known encoding, or a line is no JSON object.
    """
    from .json_document import is_document, open_json

    found = encoding_of(path, encoding)
    if is_document(path, found.codec, one_line=False):
        opened = open_json(path, encoding=encoding)
        opened.notes.append(Note("reading.json_document"))
        return opened
    keys: dict[str, None] = {}
    for number, record in _objects(path, found.codec):
        keys.update(dict.fromkeys(record))
        if not number % 1000:
            check_width(path, len(keys))
    if not keys:
        raise UserError(f"{path} is empty", "Give a file with one JSON object a line")
    columns = list(keys)

    def rows(places: Sequence[int]) -> Iterator[Row]:
        names = [columns[place] for place in places]
        for number, record in _objects(path, found.codec):
            yield number, [record.get(name) for name in names]

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    notes = [Note("reading.encoding", {"encoding": found.found})] if found.found else []
    opened = Source(path, columns, found.lines, batches, notes=notes)
    return opened


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no key may stand twice.

    Raises:
        ValueError: one does.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _objects(path: Path, codec: str) -> Iterator[tuple[int, dict[str, Any]]]:
    remedy = "Write one JSON object a line"
    with io.TextIOWrapper(open_bytes(path), encoding=codec) as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip("\ufeff \t\r\n"):
                continue
            try:
                record = json.loads(line, object_pairs_hook=object_of)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{path} row {number} is not JSON: {error}", remedy) from None
            if not isinstance(record, dict):
                raise UserError(f"{path} row {number} is no JSON object", remedy)
            yield number, record
