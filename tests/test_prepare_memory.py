"""The whole of MAQA fits in two gigabytes."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

MAQA_ROWS = 434_543
LIMIT_BYTES = 2 * 10**9
# The peak of the command alone, in a process whose only child it is.
MEASURE = (
    "import json, resource, subprocess, sys\n"
    "run = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=True)\n"
    "print(json.dumps(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))\n"
)


def write_maqa(path: Path, rows: int) -> None:
    """A csv of MAQA's columns and lengths: at most 100 words a side, 23 and 19 on average."""
    rng = random.Random(0)
    words = ["".join(rng.choices("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", k=rng.randint(2, 7))) for _ in range(20_000)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["q_body", "a_body", "q_body_count", "a_body_count", "category", "category_id"])
        for _ in range(rows):
            lengths = [min(100, max(3, round(rng.gauss(mean, 10)))) for mean in (23, 19)]
            texts = [" ".join(rng.choices(words, k=length)) for length in lengths]
            category = rng.randrange(20)
            writer.writerow([*texts, *lengths, f"category {category}", category])


@pytest.mark.weekly
@pytest.mark.slow
def test_all_of_maqa_is_prepared_in_two_gigabytes(tmp_path: Path, record_property: pytest.FixtureRequest) -> None:
    source = tmp_path / "maqa.csv"
    write_maqa(source, MAQA_ROWS)
    command = [sys.executable, "-m", "maqa_severity", "prepare", str(source), "--out", str(tmp_path / "d")]
    start = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", MEASURE, *command], capture_output=True, text=True, check=True)
    rows_per_second = MAQA_ROWS / (time.perf_counter() - start)
    peak = json.loads(run.stdout)
    record_property("peak_bytes", peak)
    record_property("rows_per_second", rows_per_second)
    print(f"\n{rows_per_second:,.0f} rows/s, peak {peak / 1e9:.2f} GB")  # noqa: T201
    counts = json.loads((tmp_path / "d" / "dataset.json").read_text())["counts"]
    assert sum(split["rows"] for split in counts.values()) == MAQA_ROWS
    assert peak < LIMIT_BYTES
