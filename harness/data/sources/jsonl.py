"""JSON, one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .base import Batch, Row, Source, as_text, batched
from .lines import count_lines
from .readers import source


@source(".jsonl")
def open_jsonl(path: Path) -> Source:
    """Open a file with one JSON object a line, in UTF-8; its columns are the keys of all rows.

    Raises:
        UserError: the file is not UTF-8, or a line is no JSON object.
    """
    lines = count_lines(path)
    keys: dict[str, None] = {}
    for _, record in _objects(path):
        keys.update(dict.fromkeys(record))
    if not keys:
        raise UserError(f"{path} is empty", "Give a file with one JSON object a line")
    columns = list(keys)

    def rows(places: Sequence[int]) -> Iterator[Row]:
        names = [columns[place] for place in places]
        for number, record in _objects(path):
            yield number, [as_text(record.get(name), f"{path} row {number} key {name!r}") for name in names]

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, columns, lines, batches)
    return opened


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    remedy = "Write one JSON object a line"
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{path} row {number} is not JSON: {error}", remedy) from None
            if not isinstance(record, dict):
                raise UserError(f"{path} row {number} is no JSON object", remedy)
            yield number, record
