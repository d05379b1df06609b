"""The worlds of the demo under other seeds of their rows: ``make demo-seeds``.

Prints a line per seed: whether the effect was found in the planted world, and whether the null world stayed silent.
Exits with 0 only if it was found in 18 of 20 (90 %) and silent in 19 of 20 (95 %). Numbers after the command choose
the seeds: ``python tests/bench_demo.py 1 2 3``. What is done under ``runs/demo-seeds`` is not done again.

Each world is run with what its verdict needs and no more: the untrained base and the floors have no part in it.

Seeds 1 and 2 were first seen with four trainings of each arm: found in 1, missed in 2 (p 0.053), both null worlds
silent. A fifth training was added then, and nothing else changed.
"""

import os
import sys
import time
from pathlib import Path

from maqa_severity.commands.demo import ARITHMETIC

os.environ |= ARITHMETIC
from maqa_severity.commands.demo_checks import Check, null_check, planted_check
from maqa_severity.experiment import run_experiment
from maqa_severity.trainers.experiments.config import Experiment, load_experiment
from rich.console import Console

SEEDS = range(1, 21)
FOUND, SILENT = 0.9, 0.95
OUT = Path("runs/demo-seeds")


def reduced(name: str, seed: int) -> Experiment:
    """A world of another seed with what its verdict needs."""
    shipped = load_experiment(Path(name))
    return shipped.model_copy(
        update={
            "data": shipped.data.model_copy(update={"seed": seed}),
            "arms": [arm for arm in shipped.arms if arm.arm != "base"],
            "evaluation": shipped.evaluation.model_copy(update={"floors": []}),
        }
    )


def worlds(seed: int, out: Path) -> tuple[Check, Check]:
    """The verdicts of both worlds of a seed."""
    found = []
    for name, check in (("demo", planted_check), ("demo-null", null_check)):
        outcome = run_experiment(reduced(name, seed), out / name, Console(quiet=True), "make demo-seeds")
        (arms,) = outcome.arms.values()
        found.append(check(arms))
    return found[0], found[1]


def main(chosen: list[str]) -> int:
    console = Console(highlight=False, soft_wrap=True)
    found, silent, seeds = 0, 0, [int(seed) for seed in chosen] or list(SEEDS)
    for seed in seeds:
        started = time.monotonic()
        planted, null = worlds(seed, OUT / str(seed))
        found, silent = found + planted.holds, silent + null.holds
        seconds = time.monotonic() - started
        console.print(f"seed {seed} | {planted} | {null} | {seconds:.0f} s", markup=False)
    console.print(f"effect found where it was planted | {found} of {len(seeds)} | goal {FOUND:.0%}", markup=False)
    console.print(f"nothing found in the null world | {silent} of {len(seeds)} | goal {SILENT:.0%}", markup=False)
    return 0 if found >= FOUND * len(seeds) and silent >= SILENT * len(seeds) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
