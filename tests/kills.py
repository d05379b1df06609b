"""Random SIGKILLs over the commands: what the same command leaves when it is run again, byte by byte.

``python -m maqa_severity.tests.kills --kills 100 --seed 0`` draws a command, and a moment of its time or one of its
changes to files; it kills the command there, looks at every file that has its name by then, runs the same command
again, and holds all that is there against what it leaves undisturbed.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maqa_severity.tests.fault_matrix import whole
from maqa_severity.tests.left_behind import differing, left
from maqa_severity.tests.struck import Ended, ended
from maqa_severity.tests.writers import WRITERS, make_inputs, make_models

KILLED = tuple(name for name in WRITERS if name != "run")
"""``maqa run`` writes measured times into pages and boards; its kills are those of ``test_execution_ray``."""
_GROWS = ("training_log.jsonl", "answers")
"""Files and folders of files that are written line by line."""
_THROUGH = ("is not an empty folder", "holds a dataset")
"""What a command says that was killed after its output stood in its place."""
_TRIES = 20
"""Moments to draw until one comes before the command's end."""


@dataclass(frozen=True)
class Kill:
    """What a kill of a command did: where it struck, how many files were there, and what is wrong afterwards."""

    command: str
    where: str
    files: int
    wrong: str


class Killing:
    """Commands in folders of their own below ``root``, which differ in nothing that a command sees."""

    def __init__(self, root: Path, names: Collection[str]) -> None:
        self._root, self._here, self._number = root, root / "inputs", 0
        self.undisturbed: dict[str, tuple[Ended, dict[str, Any]]] = {}
        self._here.mkdir()
        make_inputs(self._here)
        if any(WRITERS[name].models for name in names):
            make_models(self._here)

    def kill(self, name: str, draw: random.Random) -> Kill:
        """Kill a command once and run it again."""
        try:
            if name not in self.undisturbed:
                self.undisturbed[name] = self._whole(name)
            return self._killed(name, draw)
        except AssertionError as error:
            return Kill(name, "undisturbed", 0, str(error))

    def _whole(self, name: str) -> tuple[Ended, dict[str, Any]]:
        """Run a command through, twice: the second time nothing waits for the disk, and both leave the same."""
        (_, once), (done, again) = self._through(name, self._folder(name)), self._through(name, self._folder(name))
        assert not (other := differing(once, again)), f"it is another by itself: {other}"
        return done, again

    def _killed(self, name: str, draw: random.Random) -> Kill:
        done, expected = self.undisturbed[name]
        for _ in range(_TRIES):
            folder, share = self._folder(name), draw.random()
            if draw.random() < 0.5:
                after, change = share * done.seconds, 0
                where = f"{after:.2f} of {done.seconds:.2f} s"
            else:
                after, change = None, 1 + int(share * done.changes)
                where = f"change {change} of {done.changes}"
            if ended(self._words(name), folder, after, change) is None:
                break
        else:
            return Kill(name, "never", 0, "it was through each time")
        there = [path for path in folder.rglob("*") if path.is_file()]
        half = sorted(str(path.relative_to(folder)) for path in there if _named(path, folder) and not whole(path))
        try:
            found = self._through(name, folder, killed=True)[1]
        except AssertionError as error:
            return Kill(name, where, len(there), str(error))
        other = differing(expected, found)
        told = [f"half-written: {half}"] * bool(half) + [f"other files: {other}"] * bool(other)
        return Kill(name, where, len(there), "; ".join(told))

    def _through(self, name: str, folder: Path, killed: bool = False) -> tuple[Ended, dict[str, Any]]:
        done = ended(self._words(name), folder)
        assert done, "something else killed it"
        fine = done.status == 0 or (killed and any(each in done.error for each in _THROUGH))
        assert fine, f"run again: {done.status} {done.error[-500:]}"
        return done, left(folder)

    def _folder(self, name: str) -> Path:
        self._number += 1
        folder = self._root / f"{self._number:06}"
        (folder / "into").mkdir(parents=True)
        WRITERS[name].made_ready(folder / "into" / WRITERS[name].place, self._here)
        return folder

    def _words(self, name: str) -> list[object]:
        return WRITERS[name].words(Path("into") / WRITERS[name].place, self._here)


def _named(path: Path, folder: Path) -> bool:
    """Whether a file has the name that it is to be read by, and is written as a whole."""
    parts = path.relative_to(folder).parts
    return not any(part.startswith(".") or part in _GROWS for part in parts)


def kills(count: int, seed: int, names: Collection[str]) -> Iterator[Kill]:
    """As many kills of these commands, each drawn at random."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        killing = Killing(Path(scratch).resolve(), names)
        for _ in range(count):
            yield killing.kill(draw.choice([*names]), draw)


def main() -> int:
    """Kill, and print what was struck and what was other than undisturbed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("commands", nargs="*", help="Of these alone, such as 'train lm'.")
    given = asked.parse_args()
    began, midway, wrong = time.monotonic(), Counter[str](), 0
    for number, kill in enumerate(kills(given.kills, given.seed, given.commands or KILLED), 1):
        wrong += bool(kill.wrong)
        midway[kill.command] += kill.files > 0
        told = f"{number:4} {kill.command:20} {kill.where:20} {kill.files:3} files there  {kill.wrong or 'ok'}\n"
        sys.stdout.write(told)
        sys.stdout.flush()
    struck = f"{given.kills} kills, {midway.total()} with files already there"
    sys.stdout.write(f"{struck}, in {time.monotonic() - began:.0f} s: {wrong} wrong\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
