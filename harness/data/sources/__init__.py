"""Every kind of source that can be read. A new one is a file with a ``@source`` function, and its line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# isort: off
from . import delimited as delimited
from . import jsonl as jsonl
from . import parquet as parquet
from . import xlsx as xlsx
from . import sqlite as sqlite
from . import dataset_folder as dataset_folder
from . import saved_to_disk as saved_to_disk

# isort: on
from ...core.errors import UserError
from .base import Source
from .readers import check_options, known, options, reader_of

__all__ = ["known", "open_source", "options", "reader_of"]


def open_source(path: Path, reading: Mapping[str, str] | None = None) -> Source:
    """Open a file or folder of a known kind.

    Args:
        reading: options of its reader by name, such as ``sheet``, which an xlsx file with several needs.

    Raises:
        UserError: it is missing, empty, of no known kind or not what it claims to be; an option does not apply to
            it. Reading the batches raises it for a row that cannot be read.
    """
    reader = reader_of(path)
    given = dict(reading or {})
    check_options(path, reader, given)
    try:
        if path.is_file() and not path.stat().st_size:
            raise UserError(f"{path} is empty", "Give a file with a header and rows")
        return reader.open(path, **given)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}", "Check the file") from error
