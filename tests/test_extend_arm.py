"""A new arm is one file and one line: here a loss of tokens beside the severity weights of examples."""

import csv
import json

import pandas as pd
import pytest
import yaml
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.extend_docs import extend
from maqa_severity.tests.scratch import maqa, python, scratch_copy
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.arms import ARMS, ArmSpec, arm

GRADIENTS = """
import torch
from maqa_severity.trainers.arms import ARMS
from maqa_severity.trainers.losses.weighted import weighted_loss

class Other(torch.nn.Linear):
    pass

torch.manual_seed(0)
labels = torch.randint(0, 300, (6, 12))
labels[:, :3] = -100
factors = torch.linspace(0.2, 2, 6)
for name in ("ce", "severity", "poly"):
    for kind in (torch.nn.Linear, Other):
        head = kind(24, 300)
        hidden = (2 * torch.randn(6, 12, 24)).requires_grad_()
        loss = weighted_loss(hidden, head, labels, factors, ARMS[name].token_loss)
        (loss.total / 54).backward()
        exact, wide = hidden.detach().double().requires_grad_(), torch.nn.Linear(24, 300).double()
        wide.load_state_dict(head.state_dict())
        nll = torch.nn.functional.cross_entropy(
            wide(exact)[:, :-1].transpose(1, 2), labels[:, 1:], reduction="none", ignore_index=-100
        )
        value = nll + (1 - (-nll).exp()) if name == "poly" else nll
        total = (value.sum(dim=1) * factors.double()).sum() / 54
        total.backward()
        pairs = [(hidden, exact), (head.weight, wide.weight), (head.bias, wide.bias)]
        farthest = max(float((one.grad - two.grad).abs().max()) for one, two in pairs)
        print(name, kind.__name__, farthest < 1e-6, float(abs(loss.total / 54 - total)) < 1e-6, farthest)
        assert torch.allclose(loss.example_nll.double(), nll.sum(dim=1))
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    package = scratch_copy(tmp_path_factory.mktemp("poly"))
    extend(package, "An arm")
    return package


def test_help_and_errors_name_it(extended):
    shown = " ".join(maqa(extended, "train", "lm", "--help").stdout.split())
    assert "severity weights. poly Severity weights; tokens that are not known yet count for" in shown
    refused = maqa(extended, "train", "lm", "data", "--base", "b", "--arm", "polly", "--out", "o")
    assert refused.returncode == 2
    assert refused.stderr.startswith("maqa: unknown arm 'polly'. Use one of: base, ce, severity, ")
    assert refused.stderr.strip().endswith("paced, poly") and len(refused.stderr.splitlines()) == 1


@pytest.mark.slow
def test_its_gradients_are_those_of_float64_autograd_and_so_are_those_of_plain_cross_entropy(extended):
    done = python(extended, "-c", GRADIENTS)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 6
    assert all(gradient == value == "True" for _, _, gradient, value, _ in lines), done.stdout


@pytest.mark.weekly
@pytest.mark.slow
def test_an_experiment_trains_and_evaluates_it_and_the_board_shows_it(extended, checkpoint, encoder, tmp_path):
    rows = pd.DataFrame([row for row in handwritten_rows(ARABIC) if int(row["id"][-3:]) <= 8])
    rows[["question", "answer", "category", "severity"]].to_csv(tmp_path / "source.csv", index=False)
    settings = {
        "name": "poly",
        "data": {"source": str(tmp_path / "source.csv"), "test": 9, "validation": 3},
        "models": [{"name": "tiny", "id": str(checkpoint)}],
        "arms": [{"arm": "severity", "scheme": "strong"}, {"arm": "poly", "scheme": "strong"}],
        "training": {"method": "full", "epochs": 1, "batch_size": 8, "max_length": 128, "log_every": 1},
        "evaluation": {"bertscore_model": str(encoder), "floors": ["echo"], "limit": 1},
        "compare": ["severity", "poly"],
    }
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(settings))
    done = maqa(extended, "run", str(tmp_path / "x.yaml"), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "leaderboard" / "leaderboard.csv").open(encoding="utf-8", newline="") as stream:
        board = {row["name"]: row for row in csv.DictReader(stream)}
    assert set(board) == {"severity", "poly", "echo"} and board["poly"]["rank"]
    found = json.loads((tmp_path / "out" / "leaderboard" / "leaderboard.json").read_text())
    assert {row["name"]: row["arm"] for row in found["rows"]} == {
        "severity": "severity",
        "poly": "poly",
        "echo": None,
    }
    checkpoints = tmp_path / "out" / "checkpoints"
    training = json.loads((checkpoints / "poly" / "training.json").read_text())
    assert (training["name"], training["scheme"]) == ("poly-strong", "strong")
    assert training["weights"]["cv"] > 0 and "severity_source" in training["conditions"]
    first = {
        name: json.loads((checkpoints / name / "training_log.jsonl").read_text().splitlines()[0])
        for name in ("severity", "poly")
    }
    # The first step starts from the same weights and sees the same rows: the likelihood is the same, the loss more.
    assert first["poly"]["loss_critical"] == first["severity"]["loss_critical"]
    assert first["poly"]["loss"] > first["severity"]["loss"]


def test_an_experiment_with_an_unknown_arm_names_the_known(tmp_path):
    from maqa_severity.trainers.experiments.config import load_experiment

    (tmp_path / "x.yaml").write_text(
        "name: x\ndata: {source: sample}\nmodels: [{name: m, id: demo}]\narms: [{arm: ce}, {arm: poly}]\n"
    )
    with pytest.raises(
        UserError, match=r"key 'arms\.1\.arm' with 'poly': .*unknown arm 'poly'.*base, ce, severity"
    ):
        load_experiment(tmp_path / "x.yaml")
    with pytest.raises(UserError, match=r"unknown arm 'poly'\. Use one of: base, ce, severity, curriculum"):
        ArmSpec.of("poly")


def test_two_arms_of_one_name_are_refused_with_both_places():
    with pytest.raises(ValueError, match=r"two arms are called 'ce': .*cross_entropy\.CrossEntropy and .*Again"):

        @arm("ce")
        class Again(type(ARMS["ce"])):
            """Plain cross-entropy, once more."""
