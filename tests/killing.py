"""Kills a command at random moments until it has run through, and looks at what it leaves behind."""

import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from maqa_severity.harness.generation.answers import read


def results(out: Path) -> dict[str, bytes]:
    """A run's results, samples and scores, by file."""
    names = [
        "results_maqa.json",
        "scores.parquet",
        "generation.parquet",
        *(p.name for p in out.glob("samples_*.jsonl")),
    ]
    return {name: (out / name).read_bytes() for name in names}


def sound(out: Path) -> int:
    """Answers of whole chunks in a run's store."""
    return sum(len(read(path).answers) for path in out.glob("answers/*.jsonl"))


def start(command: list[str], log: Path) -> subprocess.Popen:
    with log.open("w") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=stream)


def finish(command: list[str], out: Path) -> None:
    log = out.with_suffix(".log")
    assert start(command, log).wait(timeout=600) == 0, log.read_text()[-3000:]


def moments(seed: int, whole: float, work: float) -> Iterator[tuple[bool, float]]:
    """Random moments: a third over the whole of the command, the others over its work, after it has started up."""
    draw = random.Random(seed)
    while True:
        at_work = draw.random() > 1 / 3
        yield at_work, draw.uniform(0, work if at_work else whole)


def timed(command: list[str], out: Path) -> tuple[float, float]:
    """Run to the end. Returns its seconds in all, and those from the first stored answer to the last."""
    begun, first, last, stored = time.monotonic(), 0.0, 0.0, 0
    process = start(command, out.with_suffix(".log"))
    while process.poll() is None:
        if (now := sound(out)) > stored:
            stored, last = now, time.monotonic()
            first = first or last
        time.sleep(0.02)
    assert process.returncode == 0, out.with_suffix(".log").read_text()[-3000:]
    return time.monotonic() - begun, last - first


def killed_until_done(command: Callable[[Path], list[str]], folder: Path, kills: int, seed: int = 0) -> int:
    """Kill a command ``kills`` times, again and again the same one, and a new one once it is through.

    Every run ends with the bytes of the uninterrupted one, and no run generates what the one before had stored.

    Returns:
        How many kills found some but not all of the answers stored.
    """
    whole, work = timed(command(folder / "whole"), folder / "whole")
    expected, total = results(folder / "whole"), sound(folder / "whole")
    moment, midway, number = moments(seed, whole, work), 0, 0
    while kills:
        out = folder / f"part{(number := number + 1)}"
        while kills:
            before = sound(out)
            at_work, seconds = next(moment)
            left = 1 - before / total if at_work else 1
            if not _killed(command(out), out, at_work, seconds * left):
                break
            kills -= 1
            midway += 0 < sound(out) < total
            _assert_continued(out, before)
        before = sound(out)
        finish(command(out), out)
        _assert_continued(out, before)
        found = results(out)
        assert not [name for name in expected if found[name] != expected[name]], "these files differ"
        keys = [answer.key for path in out.glob("answers/*.jsonl") for answer in read(path).answers]
        assert len(keys) == len(set(keys)) == total
    return midway


def _killed(command: list[str], out: Path, at_work: bool, seconds: float) -> bool:
    before = sound(out)
    process = start(command, out.with_suffix(".log"))
    # At work: from the moment at which the first new answer is stored.
    while at_work and process.poll() is None and sound(out) <= before:
        time.sleep(0.01)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    assert process.returncode == 0, (process.returncode, out.with_suffix(".log").read_text()[-3000:])
    return False


def _assert_continued(out: Path, before: int) -> None:
    """The command counted what was stored before as there already."""
    said = re.search(r"(\d+) of \d+ answers were there already", out.with_suffix(".log").read_text())
    assert said is None or int(said[1]) == before
