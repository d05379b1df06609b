"""How long large pages take, how much memory, how large they are and how fast they open: ``make bench-pages``.

Two runs of 20,000 answers through `maqa report`, and 100 runs of 2,000 through `maqa leaderboard`, beside an
earlier commit. Each command is a process of its own; times are its processor time on one thread, so that other work
on the machine does not decide. A machine that is slowed down does: a plain loop of Python is timed beside them.
Prints ``claim | ours | reference | ratio | goal | holds`` and exits with 0 only if every claim holds.

``bench_pages.py [ANSWERS [RUNS]]`` measures others than 20,000 answers and 100 runs, against goals in proportion.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

from maqa_severity.tests.bench_detectors import earlier, package
from maqa_severity.tests.bench_scoring import Claim
from maqa_severity.tests.made_folders import mixed, write_plain, write_run
from maqa_severity.tests.made_runs import made_run
from maqa_severity.tests.real_browser import chromium
from rich.console import Console

ANSWERS, RUNS, EACH = 20_000, 100, 2_000
REPORT_S, REPORT_GB, OPENS_S = 30.0, 1.5, 2.0
BOARD_RATIO, BOARD_GB, BOARD_MB = 1.5, 1.0, 3.0
BEFORE = "4fc91dc"
"""The commit that the goal of boards is stated against."""
TURNS = 3_000_000
_BASE = 1_000


def loop_seconds() -> float:
    """Processor time of a plain loop: about 0.2 s on a machine that is not slowed down."""
    start, total = time.process_time(), 0
    for number in range(TURNS):
        total += number
    return time.process_time() - start


def command(place: Path, folder: Path, *arguments: str) -> tuple[float, float]:
    """Processor time in seconds and peak memory in GB of a command of the package at a place.

    Raises:
        SystemExit: the command failed.
    """
    environment = {**os.environ, "PYTHONPATH": str(place), "OMP_NUM_THREADS": "1"}
    # From a folder that holds no package, so that the path alone says which is asked.
    process = Popen(
        [sys.executable, "-m", "maqa_severity", *arguments], cwd=folder, env=environment, stdout=DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments[:1])} of {place} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6


def opening(page: Path) -> tuple[float, float]:
    """Seconds until a browser has painted a page, and until its browser of answers is ready."""
    with chromium() as browser:
        # What waits for the page is a string that its own policy would not let run.
        tab: Any = browser.new_page(bypass_csp=True)
        tab.set_default_timeout(180_000)
        start = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        painted = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
        if tab.locator("#browser").count():
            # It is unpacked when a reader comes near it.
            tab.evaluate("document.querySelector('#browser').scrollIntoView()")
            tab.wait_for_function("document.querySelector('#browser').dataset.ready", timeout=60_000)
        return painted, time.perf_counter() - start


def report_claims(here: Path, folder: Path, answers: int) -> Iterator[Claim]:
    bases = [made_run(f"base {seed}", min(answers, _BASE), seed) for seed in (1, 2)]
    for seed, name in enumerate(("ours", "theirs")):
        write_run(mixed(bases, name, answers, seed), folder / name)
    given = ("report", "ours", "theirs", "--reference", "theirs", "--metric", "chrf", "--out", "report.html")
    taken, memory = command(here, folder, *given)
    name, share = f"report of 2 x {answers:,} answers", max(1.0, answers / ANSWERS)
    yield Claim(name, f"{taken:.1f} s", "-", None, f"<= {REPORT_S * share:g} s", taken <= REPORT_S * share)
    yield Claim(f"{name}: memory", f"{memory:.2f} GB", "-", None, f"<= {REPORT_GB} GB", memory <= REPORT_GB)
    if shutil.which("chromium"):
        painted, ready = opening(folder / "report.html")
        size = (folder / "report.html").stat().st_size / 1e6
        opens = f"painted after {painted:.1f} s, browser of answers ready after {ready:.1f} s"
        yield Claim(f"page of {size:.1f} MB opens", opens, "-", None, f"<= {OPENS_S:g} s", painted <= OPENS_S)


def board_claims(here: Path, folder: Path, runs: int) -> Iterator[Claim]:
    bases = [made_run(f"base {seed}", _BASE, seed) for seed in (1, 2)]
    names = [f"run-{number:03}" for number in range(runs)]
    for seed, name in enumerate(names):
        write_plain(mixed(bases, name, EACH, seed), folder / name)
    given = ("leaderboard", *names, "--metric", "chrf")
    taken, memory = command(here, folder, *given, "--out", "board")
    name, size = f"board of {runs} runs x {EACH:,} answers", (folder / "board" / "index.html").stat().st_size / 1e6
    if before := earlier(folder / "before", BEFORE):
        theirs, _ = command(before, folder, *given, "--out", "board-before")
        ratio = taken / theirs
        reference = f"{theirs:.1f} s at {BEFORE}"
        yield Claim(name, f"{taken:.1f} s", reference, ratio, f"<= {BOARD_RATIO} x", ratio <= BOARD_RATIO)
    else:
        sys.stderr.write(f"The board is not held against that of before: commit {BEFORE} is not here.\n")
    yield Claim(f"{name}: memory", f"{memory:.2f} GB", "-", None, f"<= {BOARD_GB} GB", memory <= BOARD_GB)
    yield Claim(f"{name}: page", f"{size:.1f} MB", "-", None, f"<= {BOARD_MB} MB", size <= BOARD_MB)


def main(given: Sequence[str]) -> int:
    """Measure, print, and say whether every claim holds."""
    answers, runs = [int(each) for each in given] + [ANSWERS, RUNS][len(given) :]
    console = Console(highlight=False, soft_wrap=True)
    console.print("claim | ours | reference | ratio | goal | holds", markup=False)
    claims = []
    with tempfile.TemporaryDirectory() as folder:
        here = package(Path(folder) / "now")
        for made, size in ((report_claims, answers), (board_claims, runs)):
            if not size:
                continue
            console.print(f"{TURNS:,} turns of a plain loop: {loop_seconds():.2f} s")
            for claim in made(here, Path(folder), size):
                claims.append(claim)
                console.print(claim.line(), markup=False)
    return 0 if all(claim.holds for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
