"""The case study's experiments are ordinary ones: they load, are looked at and estimated before they start."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from maqa_severity.commands.app import app
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import open_dataset
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import gpt2_base, medical_dataset
from maqa_severity.trainers.experiments.config import EvaluationPart, load_experiment
from maqa_severity.trainers.experiments.estimate import Estimate, Work, estimate
from maqa_severity.trainers.experiments.grid import cells
from maqa_severity.trainers.lm.cost import PASSES
from typer.testing import CliRunner

ROOT = Path(__file__).parents[1]
NAMES = ["case-study", "case-study-quick"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return gpt2_base(tmp_path_factory.mktemp("base") / "gpt2")


def toy(name, folder, dataset, base, encoder, **training):
    """The named experiment with its own data, base and encoder put in the place of the real ones."""
    shipped = yaml.safe_load((ROOT / "trainers" / "experiments" / f"{name}.yaml").read_text(encoding="utf-8"))
    shipped["data"]["source"] = str(dataset.folder)
    shipped["models"][0] |= {"id": str(base), "training": {"pad_token": "<|endoftext|>", "rows": 16, **training}}
    shipped["evaluation"] |= {"bertscore_model": str(encoder), "bertscore_layer": None, "limit": 2}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(shipped), encoding="utf-8")
    return path


def run(*arguments):
    from maqa_severity.commands import demo as _  # noqa: F401

    return CliRunner().invoke(app, ["run", *map(str, arguments)])


def test_the_shipped_ones_ask_for_what_the_study_needs():
    full, quick = map(load_experiment, map(Path, NAMES))
    assert full.claim and set(full.claim.against) == {"ce", "constant-balanced", "shuffled"}
    assert "severity-strong" in full.labels
    assert {arm.arm for arm in full.arms} == {"base", "ce", "severity", "constant", "shuffled"}
    assert len(full.seeds) >= 2 and len(quick.seeds) >= 2
    assert {full.claim.arm, full.compare[1]} == {"severity-balanced"}
    assert {str(floor) for floor in quick.evaluation.floors} == {"echo", "constant", "nearest"}
    assert {model.id for each in (full, quick) for model in each.models} == {"runs/weights/gemma-3-270m"}


def test_answers_are_as_long_as_the_experiment_says():
    quick = load_experiment(Path("case-study-quick")).evaluation
    assert quick.longest_answer == 48
    assert decoding("greedy", ARABIC, **quick.decoding_changes).max_new_tokens == 48
    unsaid = EvaluationPart()
    assert decoding("greedy", ARABIC, **unsaid.decoding_changes).max_new_tokens == unsaid.longest_answer == 128


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_is_to_do_and_how_long_that_takes_before_it_starts(name, tmp_path, dataset, base, encoder):
    path = toy(name, tmp_path, dataset, base, encoder)
    experiment = load_experiment(path)
    done = run(path, "--out", tmp_path / "out", "--estimate")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "All that it needs is there" in done.stdout and not (tmp_path / "out").exists()
    training = experiment.training
    effective = training["batch_size"] * training.get("accumulation", 1)
    trained = len(experiment.seeds) * sum(arm.arm != "base" for arm in experiment.arms)
    assert f"Estimate: {trained * 16 // effective} training steps to do; about " in " ".join(done.stdout.split())


def test_the_estimate_counts_what_is_open_and_adds_it_up(tmp_path, dataset, base, encoder):
    experiment = load_experiment(toy("case-study-quick", tmp_path, dataset, base, encoder))
    found = estimate(experiment, list(cells(experiment, tmp_path / "out")), open_dataset(dataset.folder), tmp_path)
    training, answers = found.work
    batch, accumulation = experiment.training["batch_size"], experiment.training.get("accumulation", 1)
    assert training.count == 4 * (16 // batch // accumulation * accumulation + PASSES)
    # At most two rows of a severity, of the base and two trainings of both arms.
    asked = sum(min(2, count) for count in dataset.split("test")["severity"].value_counts())
    assert answers.count == 5 * asked
    assert training.seconds > 0 and answers.seconds > 0
    assert found.hours == pytest.approx(
        (training.count * training.seconds + answers.count * answers.seconds) / 3600
    )


def test_the_words_of_an_estimate_are_minutes_or_hours():
    assert "about 30 minutes" in str(Estimate([Work("b", "passes", 900, 2.0)], 10))
    assert "about 2.5 hours" in str(Estimate([Work("b", "passes", 900, 10.0)], 10))


def test_nothing_is_estimated_of_data_without_labels(tmp_path, dataset, base, encoder):
    rows = tmp_path / "rows.csv"
    rows.write_text("question,answer\n" + "".join(f"q {n} a,b {n}\n" for n in range(40)), encoding="utf-8")
    settings = yaml.safe_load(
        toy("case-study-quick", tmp_path, medical_dataset(tmp_path / "d"), base, encoder).read_text()
    )
    settings["data"] = {"source": str(rows), "label": "rules"}
    (tmp_path / "unlabelled.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = run(tmp_path / "unlabelled.yaml", "--out", tmp_path / "out", "--estimate")
    assert isinstance(done.exception, UserError) and "before the data is labelled" in str(done.exception)


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize(
    ("given", "words"), [([], "is not shipped"), (["DATA=/no/FALAH-Mix.xlsx"], "there is no /no/FALAH")]
)
def test_make_says_in_one_line_where_the_data_can_be_had(target, given, words):
    done = subprocess.run(["make", target, *given], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert words in line and "imaneumabderahmane/FALAH" in line and "CC BY 4.0" in line


def test_make_does_the_work_by_ordinary_commands_and_fetches_what_is_pinned():
    from maqa_severity.fetching.catalogue import MODELS

    done = subprocess.run(
        ["make", "-n", "case-study-quick", f"DATA={ROOT / 'README.md'}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    fetched = re.findall(r"maqa fetch (\S+) --out", done.stdout)
    assert len(fetched) == 2 and all(name in MODELS for name in fetched)
    assert "--estimate" in done.stdout and "tests/data/falah_levels.csv" in done.stdout
    experiment = load_experiment(Path("case-study-quick"))
    assert f"--out {experiment.data.source}" in done.stdout
    assert f"--out {experiment.evaluation.bertscore_model}" in done.stdout
