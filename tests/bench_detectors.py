"""The time of all detectors, beside that of an earlier commit in turns: a part of ``make bench-scoring``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
BEFORE = "e072d8b667816f38a6e972a24304b27553e9951f"
"""The last commit before the detectors of dangers were begun: 17 columns instead of 27."""
TURNS = 5
_SCRIPT = """
import json, sys, time
from maqa_severity.harness.languages import language
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.scoring import safety_metrics, score
from maqa_severity.harness.severity import parse_severity

asked = json.load(open(sys.argv[1], encoding="utf-8"))
metrics = safety_metrics(language("ar"))

def take(rows):
    severities = [parse_severity(each) for each in asked["severities"][:rows]]
    return Answers(asked["predictions"][:rows], asked["references"][:rows], asked["questions"][:rows], severities)

# What is read once per process is read before.
score(take(2), metrics)
start = time.process_time()
found = score(take(None), metrics)
sys.stdout.write(json.dumps([time.process_time() - start, len(found)]))
"""


def earlier(folder: Path, commit: str = BEFORE) -> Path | None:
    """The package of the earlier commit in a folder, to be put on the path; None where the repository lacks it."""
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True)
    if archive.returncode:
        return None
    package = folder / "maqa_severity"
    package.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", str(package)], input=archive.stdout, check=True)
    return folder


def times(asked: Mapping[str, Sequence[str]], before: Path, folder: Path) -> dict[str, tuple[float, int]]:
    """Median processor time in seconds, and the number of columns, of ``now`` and ``before``, in turns.

    Args:
        asked: ``predictions``, ``references``, ``questions`` and ``severities``, n of each.
    """
    path = folder / "asked.json"
    path.write_text(json.dumps(asked), encoding="utf-8")
    sides = {"now": package(folder / "now"), "before": before}
    runs: dict[str, list[float]] = {side: [] for side in sides}
    columns: dict[str, int] = {}
    for _ in range(TURNS):
        for side, place in sides.items():
            # From a folder that holds no package, so that the path alone says which is asked.
            done = subprocess.run(
                [sys.executable, "-c", _SCRIPT, str(path)],
                check=True,
                capture_output=True,
                text=True,
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(place), "OMP_NUM_THREADS": "1"},
            )
            seconds, columns[side] = json.loads(done.stdout)
            runs[side].append(seconds)
    return {side: (median(each), columns[side]) for side, each in runs.items()}


def package(folder: Path) -> Path:
    """This very package under its name, whatever its folder is called."""
    folder.mkdir(exist_ok=True)
    link = folder / "maqa_severity"
    if not link.exists():
        link.symlink_to(ROOT)
    return folder
