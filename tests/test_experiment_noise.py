"""An experiment that asks again says in board, terminal, page and file what noise its engine makes."""

import json

import pandas as pd
import pytest
import yaml
from maqa_severity.experiment import run_experiment
from maqa_severity.harness.runs.run import load_run
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.experiments.config import load_experiment
from rich.console import Console

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(tmp_path_factory, checkpoint, encoder):
    folder = tmp_path_factory.mktemp("noisy")
    rows = pd.DataFrame([row for row in handwritten_rows(ARABIC) if int(row["id"][-3:]) <= 20])
    rows[["question", "answer", "category", "severity"]].to_csv(folder / "source.csv", index=False)
    return {
        "name": "noisy",
        "data": {"source": str(folder / "source.csv"), "test": 30, "validation": 3},
        "models": [{"name": "tiny", "id": str(checkpoint)}],
        "arms": [{"arm": "ce"}, {"arm": "severity", "scheme": "strong"}],
        "seeds": [0, 1],
        "training": {"method": "full", "epochs": 1, "batch_size": 8, "max_length": 128},
        "evaluation": {
            "bertscore_model": str(encoder),
            "model_args": {"dtype": "float32"},
            "decodings": ["greedy", "paper"],
            "floors": ["constant"],
            "limit": 6,
            "repeat_share": 0.5,
        },
        "compare": ["ce", "severity"],
        "statistics": {"resamples": 200},
    }


@pytest.mark.weekly
def test_an_experiment_asks_again_and_says_what_it_found(settings, tmp_path):
    file = tmp_path / "noisy.yaml"
    file.write_text(yaml.safe_dump(settings))
    out = tmp_path / "out"
    outcome = run_experiment(load_experiment(file), out, Console(quiet=True))
    for preset, folder in (("greedy", out), ("paper", out / "paper")):
        runs = {each: load_run(folder / "runs" / each) for each in ("ce/seed-0", "severity/seed-1")}
        assert all(run.noise is not None for run in runs.values())
        (compared,) = outcome.verdicts[preset]
        assert compared.noise.line and compared.noise.floors
        assert compared.noise.line in (folder / "report.html").read_text().replace("&#39;", "'")
        board = (folder / "leaderboard" / "index.html").read_text()
        assert "asked again" in board
        # One engine in float32 on one machine decodes greedily the same; a sample is another one.
        floor = next(each for each in compared.noise.floors if each.stratum == "overall").floor
        assert (floor == 0) == (preset == "greedy")
    manifest = json.loads((out / "runs" / "ce" / "seed-0" / "manifest.json").read_text())
    # A share that is added later asks no first answer again.
    del settings["evaluation"]["repeat_share"]
    file.write_text(yaml.safe_dump(settings))
    again = run_experiment(load_experiment(file), out, Console(quiet=True))
    assert again.verdicts["greedy"][0].differences == outcome.verdicts["greedy"][0].differences
    assert manifest["name"] == "ce/seed-0"
