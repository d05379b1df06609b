"""An audit in the dataset that it is about, where board and report find it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.files import write_json
from ...data.dataset import Dataset, DatasetInfo
from ...data.folder import NOTE

if TYPE_CHECKING:
    # Whoever only reads a verdict needs none of what makes one.
    from .audit import Audit

_KEY = "audit"


def keep_audit(dataset: Dataset, audit: Audit) -> None:
    """Write the verdict into ``dataset.json`` under ``labelling``; rows and digests stay as they are."""
    short = {"standing": audit.standing, "words": audit.words, "rows": audit.rows, "ceiling": audit.ceiling}
    labelling = {**dataset.info.labelling, _KEY: short}
    info = dataset.info.model_copy(update={"labelling": labelling})
    write_json(dataset.folder / NOTE, info.model_dump(mode="json"))


def audit_words(info: DatasetInfo) -> str:
    """The verdict on a dataset's labels, in one sentence; empty where nobody asked for it."""
    kept = info.labelling.get(_KEY)
    return str(kept["words"]) if kept else ""
