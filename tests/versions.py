"""The oldest and the newest releases that the wheel admits: ``make test-versions``, a quarter of an hour a cell.

The newest are tried under other Pythons too: those that run here, or those named by ``PYTHONS=``. Each cell is an
environment of its own, resolved by uv from ``pyproject.toml`` alone, without ``constraints.txt``;
torch is in both the one of ``make setup``, whose newer CPU builds are not on PyPI. In each the tests of what meets
these libraries run, and ``--numbers`` prints some figures; the table says where they differ.
"""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv-versions"
OLDEST, NEWEST = "lowest-direct", "highest"
OTHER_PYTHONS = ("python3.12", "python3.13")
MEETING = (
    *("tasks", "tiny", "lm_eval_options", "runs_plain", "generation", "generation_run", "trainer_steps"),
    *("trainer_arms", "chat_training", "adapters", "metrics_bertscore", "metrics_overlap", "landed"),
)
"""The test files that meet lm-eval, transformers, peft, accelerate, pandas and pyarrow."""
SHOWN = ("torch", "transformers", "lm-eval", "datasets", "pandas", "numpy", "scikit-learn")
_BROUGHT_BY_TORCH = ("torch==", "nvidia-", "triton==", "cuda-")


class Environment(NamedTuple):
    """Releases, and the Python under which they are tried."""

    python: str
    resolution: str


class Unavailable(Exception):
    """A cell that cannot be made, since a package index has no build for its Python."""


class Cell(NamedTuple):
    """What an environment showed."""

    versions: dict[str, str]
    numbers: dict[str, float]
    tests: str
    passed: bool


def numbers() -> dict[str, float]:
    """Figures of this environment: the sample's answers scored as their neighbours', and a tiny model's loss."""
    from maqa_severity.harness.metrics.evaluate_face import SeverityScores
    from maqa_severity.tasks.sample import handwritten_rows
    from maqa_severity.tests.tongues import ARABIC
    from maqa_severity.tests.training import batch, causal_model

    rows = handwritten_rows(ARABIC)
    answers = [row["answer"] for row in rows]
    scores = SeverityScores().compute(
        predictions=answers[1:] + answers[:1], references=answers, severities=[row["severity"] for row in rows]
    )
    model = causal_model("qwen2-tied")
    given = batch(4)
    loss = model(input_ids=given["input_ids"], labels=given["labels"]).loss
    means = {name: each["mean"] for name, each in scores["overall"].items() if each["mean"] is not None}
    return {**means, "loss of a tiny model": float(loss)}


def environments(pythons: list[str], console: Console) -> list[Environment]:
    """The cells: those of this Python, and the newest releases under each other one that runs here."""
    found = [Environment(sys.executable, OLDEST), Environment(sys.executable, NEWEST)]
    for python in pythons or OTHER_PYTHONS:
        path = shutil.which(python)
        # The shim of a manager of Pythons may stand for one that is not installed.
        if path is None or subprocess.run([path, "--version"], capture_output=True, check=False).returncode:
            console.print(f"{python} does not run here, and is left out")
        else:
            found.append(Environment(path, NEWEST))
    return found


def made(environment: Environment) -> Path:
    """The Python of a cell's environment, made anew where the declared dependencies changed.

    Raises:
        Unavailable: there is no build of torch for it.
    """
    told = subprocess.run([environment.python, "--version"], capture_output=True, text=True, check=True)
    folder = FOLDER / f"{environment.resolution}-{told.stdout.split()[-1]}"
    python = folder / "bin" / "python"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "torch.txt").write_text(f"torch=={version('torch').split('+')[0]}")
    resolved = uv(
        "pip", "compile", "--resolution", environment.resolution, "--python", environment.python, "--no-header",
        "--no-annotate", "--extra", "test", "--constraint", FOLDER / "torch.txt", ROOT / "pyproject.toml",
    )  # fmt: skip
    pins = "\n".join(line for line in resolved.splitlines() if not line.startswith(_BROUGHT_BY_TORCH))
    listed = folder / "pins.txt"
    if not listed.is_file() or listed.read_text() != pins:
        subprocess.run([environment.python, "-m", "venv", "--clear", str(folder)], check=True)
        # The build that `make setup` took, which may be one for CPUs alone.
        torch = f"torch=={version('torch')}"
        if subprocess.run([str(python), "-m", "pip", "install", "--quiet", torch], check=False).returncode:
            raise Unavailable(f"no index offers {torch} for Python {told.stdout.split()[-1]}")
        (folder / "new.txt").write_text(pins)
        uv("pip", "install", "--python", python, "--requirement", folder / "new.txt")
        (folder / "new.txt").rename(listed)
    return python


def uv(*words: str | Path) -> str:
    """What uv prints."""
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *map(str, words)], stdout=subprocess.PIPE, text=True
    )
    done.check_returncode()
    return done.stdout


def tried(python: Path, console: Console) -> Cell:
    """What a cell holds, its numbers, and the last line of its tests; what failed is printed."""
    house = FOLDER / "house" / "maqa_severity"
    house.parent.mkdir(exist_ok=True)
    house.unlink(missing_ok=True)
    house.symlink_to(ROOT)
    env = {**os.environ, "PYTHONPATH": str(house.parent), "OMP_NUM_THREADS": "1"}
    own = [str(python), "-m", "maqa_severity.tests.versions", "--numbers"]
    told = json.loads(
        subprocess.run(own, env=env, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    )
    files = [f"tests/test_{name}.py" for name in MEETING]
    tests = [
        str(python),
        "-m",
        "pytest",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not vllm",
        *files,
    ]
    done = subprocess.run(tests, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith(("FAILED", "ERROR")):
            console.print(line)
    return Cell(told["versions"], told["numbers"], done.stdout.splitlines()[-1], done.returncode == 0)


def main() -> int:
    """Print the table; 0 only if all tests pass and no number differs by more than 1e-6 of itself."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if sys.argv[1:] == ["--numbers"]:
        versions = {"python": sys.version.split()[0], **{name: version(name) for name in SHOWN}}
        console.print(json.dumps({"versions": versions, "numbers": numbers()}))
        return 0
    tables = []
    for environment in environments(sys.argv[1:], console):
        try:
            tables.append(tried(made(environment), console))
        except Unavailable as error:
            console.print(f"{environment.python}, {environment.resolution} releases: left out, since {error}")
    first = tables[0]

    def row(name: str, cells: Iterable[object]) -> None:
        console.print(f"| {name} | " + " | ".join(map(str, cells)) + " |")

    for name in first.versions:
        row(name, (cell.versions[name] for cell in tables))
        if name == "python":
            row("---", ["---"] * len(tables))

    def alike(name: str, cell: Cell) -> bool:
        given = (each.numbers.get(name, math.nan) for each in (first, cell))
        return math.isclose(*given, rel_tol=1e-6)

    names = sorted({name for cell in tables for name in cell.numbers})
    for name in names:
        if not all(alike(name, cell) for cell in tables):
            row(name, (cell.numbers.get(name) for cell in tables))
    equal = [sum(alike(name, cell) for name in names) for cell in tables]
    row("numbers equal", (f"{count} of {len(names)}" for count in equal))
    row("tests", (cell.tests for cell in tables))
    return 0 if all(cell.passed for cell in tables) and equal == [len(names)] * len(tables) else 1


if __name__ == "__main__":
    sys.exit(main())
