"""Arms that come down to the same training are found before the first step and trained once, under all names."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from maqa_severity.experiment import run_experiment
from maqa_severity.harness.data.dataset import open_dataset
from maqa_severity.harness.runs.arms import bases_of
from maqa_severity.harness.runs.run import load_run
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.execution.progress import look
from maqa_severity.trainers.execution.status import State
from maqa_severity.trainers.experiments.config import load_experiment
from maqa_severity.trainers.experiments.twins import find_twins
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.effective import effective_sha256
from rich.console import Console


def rows(probabilities):
    frame = pd.DataFrame(probabilities, columns=["p_non_critical", "p_neutral", "p_critical"])
    ranks = np.asarray(probabilities).argmax(axis=1)
    return frame.assign(
        id=[f"row-{number}" for number in range(len(frame))],
        severity=np.array(["non_critical", "neutral", "critical"])[ranks],
        answer=["x" * (1 + number % 7) for number in range(len(frame))],
        category="one",
    )


RNG = np.random.default_rng(0)
CERTAIN = rows(np.eye(3)[RNG.integers(0, 3, 90)])
UNSURE = rows(RNG.dirichlet([0.3, 0.3, 0.3], 90))
FLAT = rows(np.full((90, 3), 1 / 3) + RNG.normal(0, 1, (90, 1)) * [[-0.01, 0, 0.01]])
"""Under the balanced scheme a coefficient of variation of 0.01."""


def alike(one, other, where, *settings):
    config = load_config(settings=list(settings))
    return len({effective_sha256(ArmSpec.of(*arm), where, config, 8) for arm in (one, other)}) == 1


CE, SEVERITY, HARD, CONSTANT = ("ce",), ("severity", "balanced"), ("hard", "balanced"), ("constant", "strong")


def test_likeliest_and_expected_severity_are_one_training_under_certain_labels_alone():
    assert alike(SEVERITY, HARD, CERTAIN) and not alike(SEVERITY, HARD, UNSURE)
    assert not alike(SEVERITY, ("severity", "strong"), CERTAIN) and not alike(SEVERITY, CE, CERTAIN)


def test_equal_weights_are_cross_entropy_where_the_loss_divides_by_them():
    assert alike(CE, CONSTANT, UNSURE) and alike(CE, CONSTANT, UNSURE, "loss=weights")
    skewed = rows(np.eye(3)[[2] * 60 + [0] * 30])
    assert not alike(CE, CONSTANT, skewed, "loss=paper") and alike(CE, CONSTANT, skewed, "loss=tokens")


@pytest.mark.parametrize("arm", ["severity", "shuffled", "matched", "constant", "oversample", "paced"])
@pytest.mark.parametrize("loss", ["tokens", "weights", "paper"])
def test_whatever_is_weighted_by_weights_that_hardly_differ_is_cross_entropy(arm, loss):
    assert alike(CE, (arm, "balanced"), FLAT, f"loss={loss}")
    assert arm == "constant" or not alike(CE, (arm, "balanced"), UNSURE, f"loss={loss}")


def test_arms_that_differ_in_order_rate_or_loss_of_tokens_are_apart():
    assert not alike(CE, ("curriculum",), UNSURE) and not alike(("curriculum",), ("permuted",), UNSURE)
    assert not alike(CE, ("focal",), UNSURE) and not alike(("curriculum",), ("unordered",), UNSURE)
    assert effective_sha256(ArmSpec.of("focal", gamma=0), UNSURE, load_config(), 8) == effective_sha256(
        ArmSpec.of("ce"), UNSURE, load_config(), 8
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory, checkpoint, encoder):
    folder = tmp_path_factory.mktemp("twins")
    found = pd.DataFrame([row for row in handwritten_rows(ARABIC) if int(row["id"][-3:]) <= 12])
    found[["question", "answer", "category", "severity"]].to_csv(folder / "source.csv", index=False)
    arms = [{"arm": "ce"}] + [{"arm": arm, "scheme": "strong"} for arm in ("severity", "hard", "constant")]
    settings = {
        "name": "twins",
        "data": {"source": str(folder / "source.csv"), "test": 9, "validation": 3},
        "models": [{"name": "tiny", "id": str(checkpoint)}],
        "arms": arms,
        "seeds": [0, 1],
        "training": {"method": "full", "epochs": 1, "batch_size": 8, "max_length": 128},
        "evaluation": {"bertscore_model": str(encoder), "floors": ["echo"], "limit": 2, "max_new_tokens": 4},
        "compare": ["ce", "severity"],
        "claim": {"arm": "severity", "against": ["ce", "constant"]},
        "statistics": {"resamples": 200},
    }
    (folder / "twins.yaml").write_text(yaml.safe_dump(settings))
    experiment = load_experiment(folder / "twins.yaml")
    console = Console(record=True, width=300, file=(folder / "printed.txt").open("w"))
    return experiment, folder / "out", run_experiment(experiment, folder / "out", console), console.export_text()


TWINS = (("ce", "constant"), ("severity", "hard"))


@pytest.mark.slow
def test_twins_are_trained_and_evaluated_once_and_stand_on_the_board_under_both_names(done):
    _, out, outcome, printed = done
    trained = {path.parent.relative_to(out / "checkpoints").as_posix() for path in out.rglob("training.json")}
    assert trained == {f"{arm}/seed-{seed}" for arm in ("ce", "severity") for seed in (0, 1)}
    (board,) = outcome.boards.values()
    assert {row.name for row in board.rows} == {"echo"} | {
        f"{one}/seed-{seed} = {other}/seed-{seed}" for one, other in TWINS for seed in (0, 1)
    }
    assert printed.count("severity-strong and hard-strong are the same training here") == 1
    assert json.loads((out / "checkpoints/ce/seed-0/training.json").read_text())["also"] == ["constant-strong"]


def test_a_claim_against_a_twin_is_that_against_the_training_that_stands_for_it(done):
    _, out, outcome, _ = done
    (arms,) = outcome.arms.values()
    (claim,) = arms.bases[0].claims
    first, second = claim.legs
    assert (first.against, second.against) == ("ce", "constant-strong")
    assert first.change.mean == second.change.mean
    runs = [load_run(path.parent) for path in sorted(out.glob("runs/*/seed-*/manifest.json"))]
    (by_arm,) = bases_of(runs).values()
    assert by_arm.keys() == {"ce", "constant-strong", "severity-strong", "hard-strong"}


def test_what_was_trained_apart_stays_so_and_the_same_call_does_nothing_again(done):
    experiment, out, outcome, _ = done
    again = run_experiment(experiment, out, Console(quiet=True))
    assert list(again.boards.values()) == list(outcome.boards.values())
    twins = {f"{one}/seed-{seed}": [f"{other}/seed-{seed}"] for one, other in TWINS for seed in (0, 1)}
    assert json.loads((out / "twins.json").read_text()) == twins
    assert {each.state for each in look(experiment, out)} == {State.DONE}
    dataset, manifest = open_dataset(out / "prepared"), out / "checkpoints/ce/seed-0/training.json"
    saved = manifest.read_text()
    manifest.write_text(json.dumps({**json.loads(saved), "also": []}))
    planned = find_twins(experiment, out, dataset)
    assert len(planned) == 5 and "constant/seed-0" in {cell.label for cell in planned}
    manifest.write_text(saved)
    assert len(find_twins(experiment, out, dataset)) == 4
