"""The time of ``maqa label`` by rules, beside that of before there was a triage scale, in turns: a part of
``make bench-labelling``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from maqa_severity.tests.bench_detectors import earlier, package

BEFORE = "b76600870aafb56634f3d111616ae80536577f62"
"""The last commit without a triage scale: the rules gave probabilities, and neither levels nor discriminators."""
TURNS = 3
MOST = 1.3
"""Times the processor time of before."""
_MAKE = """
import sys
from pathlib import Path
from maqa_severity.tests.bench_labelling import make_complaints

make_complaints(int(sys.argv[1]), Path(sys.argv[2]))
"""
_LABEL = """
import json, sys, time
from pathlib import Path
from maqa_severity.tests.bench_labelling import cost

start = time.perf_counter()
spent = cost(Path(sys.argv[1]), Path(sys.argv[2]), "rules")
sys.stdout.write(json.dumps([spent.processor_s, time.perf_counter() - start, spent.peak_gb]))
"""


def times(rows: int, folder: Path) -> dict[str, tuple[float, float, float]] | None:
    """Medians of processor seconds, wall seconds and peak gigabytes for ``rows`` complaints, of ``now`` and
    ``before``, in turns; None where the repository lacks the earlier commit.

    Each side writes the same complaints as a dataset of its own version.
    """
    before = earlier(folder / "before", BEFORE)
    if before is None:
        return None
    sides = {"now": package(folder / "now"), "before": before}
    for side, place in sides.items():
        _run(_MAKE, place, folder, str(rows), str(folder / f"{side}-rows"))
    runs: dict[str, list[tuple[float, ...]]] = {side: [] for side in sides}
    for turn in range(TURNS):
        for side, place in sides.items():
            told = _run(_LABEL, place, folder, str(folder / f"{side}-rows"), str(folder / f"{side}-{turn}"))
            runs[side].append(tuple(json.loads(told)))
    found = {}
    for side, spent in runs.items():
        processor, wall, peak = (median(column) for column in zip(*spent, strict=True))
        found[side] = (processor, wall, peak)
    return found


def _run(script: str, place: Path, folder: Path, *arguments: str) -> str:
    # From a folder that holds no package, so that the path alone says which is asked.
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(place), "OMP_NUM_THREADS": "1"},
    ).stdout
