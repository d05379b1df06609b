"""Kills a command at random moments until it has run through, and looks at what it leaves behind."""

import random
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from maqa_severity.harness.generation.store.lines import read


def results(out: Path) -> dict[str, bytes]:
    """A run's results, samples and scores, by file."""
    names = [
        "results_maqa.json",
        "scores.parquet",
        "generation.parquet",
        *(p.name for p in out.glob("samples_*.jsonl")),
        *(name for name in ("repeats.parquet", "noise.json") if (out / name).exists()),
    ]
    return {name: (out / name).read_bytes() for name in names}


def sound(out: Path) -> int:
    """Answers of whole chunks in a run's store."""
    return sum(len(read(path).answers) for path in files(out))


def files(out: Path) -> list[Path]:
    """A store's files of answers, without what a kill left of one that was being rewritten."""
    return list(out.glob("answers/[!.]*.jsonl"))


def start(command: list[str], log: Path) -> subprocess.Popen:
    with log.open("w") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=stream)


def finish(command: list[str], out: Path) -> float:
    """Run to the end. Returns the seconds that it took."""
    log, begun = out.with_suffix(".log"), time.monotonic()
    assert start(command, log).wait(timeout=600) == 0, log.read_text()[-3000:]
    return time.monotonic() - begun


def killed_until_done(command: Callable[[Path], list[str]], folder: Path, kills: int, seed: int = 0) -> int:
    """Kill a command ``kills`` times, again and again the same one, and a new one once it is through.

    Every third moment is a random one of the whole command. The others come with its work, as soon as a random
    number of answers is stored and a random part of the next chunk's time has passed, so that they strike the
    generation however fast the machine is. Every run ends with the bytes of the uninterrupted one, and no run
    generates what the one before had stored.

    Returns:
        How many kills found some but not all of the answers stored.
    """
    span = finish(command(folder / "whole"), folder / "whole")
    expected, total = results(folder / "whole"), sound(folder / "whole")
    draw, midway, number = random.Random(seed), 0, 0
    while kills:
        out = folder / f"part{(number := number + 1)}"
        while kills:
            before, at_work = sound(out), kills % 3 > 0
            if at_work and before == total:
                break
            process = start(command(out), out.with_suffix(".log"))
            if at_work:
                seconds = draw.random() * _chunk_seconds(process, out, draw.randint(before + 1, total))
            else:
                seconds = draw.uniform(0, span)
            if not _killed(process, out, seconds):
                # It can be done sooner than drawn: the next moments shall be within its time.
                span = span if at_work else seconds
                break
            kills -= 1
            midway += 0 < sound(out) < total
            _assert_continued(out, before)
        before = sound(out)
        finish(command(out), out)
        _assert_continued(out, before)
        found = results(out)
        assert not [name for name in expected if found[name] != expected[name]], "these files differ"
        keys = [answer.key for path in files(out) for answer in read(path).answers]
        assert len(keys) == len(set(keys)) == total
    return midway


def _chunk_seconds(process: subprocess.Popen, out: Path, wanted: int) -> float:
    """Wait until so many answers are stored. Returns what the last of their chunks took, 0 if only one was seen."""
    stored, grown = sound(out), []
    while process.poll() is None and stored < wanted:
        if (now := sound(out)) > stored:
            stored = now
            grown.append(time.monotonic())
        time.sleep(0.005)
    return grown[-1] - grown[-2] if len(grown) > 1 else 0.0


def _killed(process: subprocess.Popen, out: Path, seconds: float) -> bool:
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
