"""What makes a folder a dataset; known without loading what reads one."""

from __future__ import annotations

from pathlib import Path

NOTE = "dataset.json"
"""Says what the dataset is; written last of its files."""


def is_dataset(folder: Path) -> bool:
    """Whether a folder says that it is a dataset of ``maqa prepare``."""
    return (folder / NOTE).is_file()
