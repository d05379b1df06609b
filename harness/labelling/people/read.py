"""Files of people's labels: a table in any format that sources have, or Label Studio's JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...core.errors import UserError
from ...core.files import read_json
from ...data.severity_map import SeverityMap
from ...data.sources import open_source
from ...languages import Language
from .columns import Cells
from .label_studio import REMEDY as EXPORT
from .label_studio import flat_rows, is_full, labels_of_tasks
from .layouts import REMEDY, Label, labels_of_rows


def read_labels(path: Path, tongue: Language, severities: SeverityMap) -> list[Label]:
    """The labels of a file, in its order.

    Raises:
        UserError: it cannot be read, has no labels, or one that the map misses; see ``labels_of_rows``.
    """
    if path.suffix.lower() == ".json":
        content = read_json(path, EXPORT)
        if is_full(content):
            found = list(labels_of_tasks(content, path, tongue, severities))
        else:
            columns, rows = flat_rows(content if isinstance(content, list) else [], path)
            found = list(labels_of_rows(path, columns, rows, tongue, severities))
    else:
        columns, rows = _table(path)
        found = list(labels_of_rows(path, columns, rows, tongue, severities))
    if not found:
        raise UserError(f"{path} has no labels", REMEDY)
    return found


def _table(path: Path) -> tuple[list[str], list[tuple[str, Cells]]]:
    source = open_source(path)
    if twice := next((name for name in source.columns if source.columns.count(name) > 1), None):
        raise UserError(f"{path} has two columns {twice!r}", "Rename one of them")

    def rows() -> Iterator[tuple[str, Cells]]:
        for batch in source.batches(range(len(source.columns))):
            columns = [[value or "" for value in column.to_pylist()] for column in batch.columns]
            for number, *cells in zip(batch.numbers, *columns, strict=True):
                yield source.where(int(number)), dict(zip(source.columns, cells, strict=True))

    return source.columns, list(rows())
