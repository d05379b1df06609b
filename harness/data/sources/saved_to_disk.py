"""Reader of what Hugging Face's ``save_to_disk`` writes: a folder of one dataset, or of one for each split."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import UserError
from .archives import said
from .base import BATCH_ROWS, Batch, Source, arrow_batch, joined
from .readers import source

if TYPE_CHECKING:
    import pyarrow as pa

_SPLITS, _STATE = "dataset_dict.json", "state.json"
_AGAIN = "Save it again with save_to_disk"


def _is_saved(folder: Path) -> bool:
    return (folder / _SPLITS).is_file() or (folder / _STATE).is_file()


@source(name="save_to_disk", is_mine=_is_saved)
def open_saved(path: Path) -> Source:
    """Open a folder of ``save_to_disk``; of several splits all rows are read. Numbers become text, and class labels
    their names.

    Raises:
        UserError: the folder is damaged or has no columns; while reading, a column holds lists or records.
    """
    import pyarrow

    whole = path / _SPLITS
    try:
        if whole.is_file():
            names = json.loads(whole.read_text(encoding="utf-8"))["splits"]
            opened = joined(path, {name: _loaded(path / name) for name in names})
        else:
            opened = _loaded(path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, pyarrow.ArrowException) as error:
        raise UserError(f"{path} is not a readable save_to_disk folder: {said(error)}", _AGAIN) from error
    if not opened.columns:
        raise UserError(f"{path} is empty", "Give a folder with rows")
    return opened


def _loaded(path: Path) -> Source:
    import datasets

    if not json.loads((path / _STATE).read_text(encoding="utf-8"))["_data_files"]:
        # Of no rows the library writes no file, and then cannot load the folder.
        return Source(path, [], 0, lambda places: iter(()))
    return opened_split(path, datasets.Dataset.load_from_disk(str(path.absolute())))


def opened_split(path: Path, rows: Any) -> Source:
    """One split that the library has loaded."""
    import pyarrow

    columns = list(rows.column_names)

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        names, start = [columns[place] for place in places], 1
        try:
            for table in rows.select_columns(names).with_format("arrow").iter(BATCH_ROWS):
                cells = {name: _cells(table[name].combine_chunks(), rows.features[name]) for name in names}
                yield arrow_batch(cells, start, path)
                start += len(table)
        except (OSError, pyarrow.ArrowException) as error:
            raise UserError(f"{path} cannot be read past row {start}: {said(error)}", _AGAIN) from error

    files = tuple(Path(each["filename"]) for each in rows.cache_files)
    return Source(path, columns, len(rows), batches, files)


def _cells(column: pa.Array, feature: Any) -> pa.Array:
    """A class label by its name; -1 is the library's mark of an unlabelled row."""
    import pyarrow
    import pyarrow.compute as pc

    if not hasattr(feature, "int2str"):
        return column
    number = pc.if_else(pc.less(column, 0), pyarrow.scalar(None, column.type), column)
    return pyarrow.array(feature.names, pyarrow.large_string()).take(number)
