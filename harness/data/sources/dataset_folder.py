"""Reader of a dataset folder of one's own, to be cut or cleaned anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..folder import is_dataset
from .base import Source, joined
from .readers import source


@source(name="dataset", is_mine=is_dataset)
def open_prepared(path: Path) -> Source:
    """Open a dataset folder: the rows of all its splits, its language, and who decided its severities.

    Raises:
        UserError: it is damaged, or was changed since it was written.
    """
    from ..dataset import SPLITS, open_dataset
    from .parquet import open_parquet

    opened = open_dataset(path)
    files = {name: path / f"{name}.parquet" for name in SPLITS}
    parts = {name: replace(open_parquet(file), files=(file,)) for name, file in files.items()}
    info = opened.info
    facts: dict[str, Any] = {"severity_source": info.severity_source, "labelling": info.labelling}
    return joined(path, parts, language=opened.language.code, **facts)
