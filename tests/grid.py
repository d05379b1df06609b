"""A grid of tiny cells on one shared base: seconds each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from maqa_severity.harness.core.files import write_json
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.tasks.sample.grammar import medical_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import gpt2_base
from maqa_severity.trainers.experiments.config import load_experiment

ARMS = [
    {"arm": "ce"},
    {"arm": "severity", "scheme": "strong"},
    {"arm": "shuffled", "scheme": "strong"},
    {"arm": "focal"},
]

MEASURED = re.compile(r'"(created|cost|training_cost)": "([^"]+)"')
ARABIC_COST = re.compile(r'"[^"]* ثانية إجمالًا[^"]*"')
SEAL = re.compile(r'"seal": "[0-9a-f]{64}"')
"""Of the board, over all of it, so over what was measured too."""


def write_grid(folder: Path, encoder: Path, arms=2, seeds=2, **evaluation) -> Path:
    """A base, a dataset and ``grid.yaml``, whose paths are relative to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    gpt2_base(folder / "base", n_embd=16, n_layer=1, n_head=2)
    rows = medical_rows(ARABIC, 30)
    splits = {"train": rows[:16], "validation": [], "test": rows[16:]}
    dataset_from_rows(splits, folder / "data", language=ARABIC, source="grammar")
    (folder / "encoder").symlink_to(encoder)
    settings = {
        "name": "grid",
        "data": {"source": "data"},
        "models": [{"name": "tiny", "id": "base"}],
        "arms": ARMS[:arms],
        "seeds": list(range(seeds)),
        "training": {
            "method": "full", "epochs": 1, "batch_size": 4, "max_length": 128, "pad_token": "<|endoftext|>",
            "checkpoint_every": 1, "learning_rate": 1e-2,
        },
        "evaluation": {
            "bertscore_model": "encoder", "floors": ["constant"], "limit": 2, "max_new_tokens": 4, **evaluation,
        },
        "compare": ["ce", "severity"],
        "statistics": {"resamples": 200},
    }  # fmt: skip
    (folder / "grid.yaml").write_text(yaml.safe_dump(settings))
    return folder / "grid.yaml"


def command(*more: str) -> list[str]:
    """The run of that experiment, from its own folder."""
    return [sys.executable, "-m", "maqa_severity", "run", "grid.yaml", "--out", "out", *more]


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """It, to its end."""
    return subprocess.run(
        command(*more), cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


def environment() -> dict[str, str]:
    """With this package, whatever folder it is started in."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}


def broken(folder: Path, label: str) -> Path:
    """Break a cell: where its checkpoint belongs, lies somebody's file."""
    path = folder / "out" / "checkpoints" / label / "notes.txt"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    # Nothing but an experiment of its own may be gone on with in a folder that is not empty.
    experiment = load_experiment(folder / "grid.yaml")
    write_json(folder / "out" / "experiment.json", experiment.model_dump(mode="json"))
    return path


def board_files(folder: Path) -> dict[str, bytes]:
    """What an experiment shows, by file."""
    out = folder / "out"
    files = [*(out / "leaderboard").iterdir(), out / "arms.json", out / "report.html"]
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def board_but_for_its_cost(folder: Path) -> dict[str, str]:
    """What an experiment shows, by file, without when it was made and what it cost, which no two runs share."""
    shown = {name: text.decode() for name, text in board_files(folder).items()}
    board = shown["leaderboard/leaderboard.json"]
    measured = {text for _, text in MEASURED.findall(board)}
    assert measured, "the board tells when its rows were made"
    for name, text in shown.items():
        for each in sorted(measured, key=len, reverse=True):
            text = text.replace(each, "measured")
        shown[name] = ARABIC_COST.sub('"measured"', SEAL.sub('"seal": ""', text))
    return shown


def cell_files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every finished checkpoint's and run's last file, with the time when it was written."""
    paths = [*folder.glob("out/checkpoints/**/training.json"), *folder.glob("out/runs/**/manifest.json")]
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}
