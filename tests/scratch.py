"""A copy of the product that a test adds files to, as somebody who extends it does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def scratch_copy(folder: Path, *, also: tuple[str, ...] = ()) -> Path:
    """The package without its outputs, and without its tests and docs unless they are needed ``also``; ``folder``
    goes into ``PYTHONPATH``."""
    # Of the root alone: a room may be called as its outputs are.
    here = {"tests", "docs", "runs", "build", "*.egg-info", ".*"} - {*also}

    def ignored(at: str, names: list[str]) -> set[str]:
        top = shutil.ignore_patterns(*here)(at, names) if Path(at) == ROOT else set()
        return top | {"__pycache__"}

    return Path(shutil.copytree(ROOT, folder / "maqa_severity", ignore=ignored))


def python(package: Path, *arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run Python with the copy in place of the product."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "COLUMNS": "200"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, **options)


def maqa(package: Path, *arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run ``maqa`` of the copy, away from the checkout."""
    return python(package, "-m", "maqa_severity", *arguments, cwd=package.parent, **options)
