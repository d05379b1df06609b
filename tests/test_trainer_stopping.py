"""Validation while a training runs: measured, stopped by, gone on with after a kill; and what is not finite."""

import json
import signal
import subprocess
import sys

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.conditions import difference
from maqa_severity.harness.runs.nll import read_nll
from maqa_severity.tests.training import SETTINGS, medical_dataset, same
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.train import train_lm
from safetensors.torch import load_file

CE = ArmSpec.of("ce")
LONG = [*SETTINGS, "epochs=40", "evaluate_every=5", "checkpoint_every=10", "learning_rate=1e-2"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


def train(dataset, base, out, *settings, arm=CE):
    return train_lm(dataset, str(base), arm, load_config(settings=[*LONG, *settings]), out)


def weights(folder):
    return load_file(next(folder.glob("*model.safetensors")))


def log(folder):
    return [json.loads(line) for line in (folder / "training_log.jsonl").read_text().splitlines()]


def measured(folder):
    return {line["step"]: line["eval_nll"] for line in log(folder) if "eval_nll" in line}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, dataset, checkpoint):
    out = tmp_path_factory.mktemp("stopped") / "out"
    return out, train(dataset, checkpoint, out, "patience=3")


def test_it_stops_after_patience_and_keeps_the_best_weights(stopped, dataset, checkpoint, tmp_path):
    out, manifest = stopped
    found, said = measured(out), manifest.stopping
    best = min(found, key=found.get)
    assert said["best_step"] == best and said["validation_nll"] == pytest.approx(found[best])
    assert said["steps"] == best + 15 == max(found) < said["planned_steps"] == 180
    # The saved model is the one of the best step: measured anew it says what was measured then.
    overall = manifest.nll["splits"]["validation"]["strata"]["overall"]
    assert overall["token_mean"] == pytest.approx(found[best], abs=1e-6)
    assert not (out / "training_state").exists()
    line = next(line for line in log(out) if "eval_nll" in line)
    assert {"eval_nll_critical", "eval_nll_neutral", "eval_nll_non_critical"} < line.keys()


def test_measuring_alone_changes_no_weight_and_no_condition(dataset, checkpoint, tmp_path):
    plain = load_config(settings=[*SETTINGS, "method=lora", "lora.dropout=0.3"])
    looked = load_config(settings=[*SETTINGS, "method=lora", "lora.dropout=0.3", "evaluate_every=2"])
    one = train_lm(dataset, str(checkpoint), CE, plain, tmp_path / "plain")
    other = train_lm(dataset, str(checkpoint), CE, looked, tmp_path / "looked")
    assert same(weights(tmp_path / "plain"), weights(tmp_path / "looked"))
    assert one.conditions == other.conditions and other.stopping is None and measured(tmp_path / "looked")


def test_arms_that_stop_differ_in_no_condition_but_in_one_that_does_not(stopped, dataset, checkpoint, tmp_path):
    _, manifest = stopped
    other = train(dataset, checkpoint, tmp_path / "severity", "patience=3", arm=ArmSpec.of("severity"))
    assert difference(manifest.model_dump(), other.model_dump()) == []
    never = train_lm(dataset, str(checkpoint), CE, load_config(settings=SETTINGS), tmp_path / "never")
    named = [line.split(":")[0] for line in difference(manifest.model_dump(), never.model_dump())]
    assert "config.patience" in named
    old = never.model_dump()
    del old["conditions"]["config.patience"]
    assert any(line.startswith("config.patience: 3 and None") for line in difference(manifest.model_dump(), old))


KILLED = """
import os, runpy, signal, sys
from maqa_severity.trainers.lm import run as module
from maqa_severity.trainers.lm.monitor import Monitor

at = sys.argv.pop(1)
whole, saved = Monitor.on_step_end, module._save
def killed(monitor, args, state, control, **more):
    if str(state.global_step) == at:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(monitor, args, state, control, **more)
def before(*arguments):
    if at == "end":
        os.kill(os.getpid(), signal.SIGKILL)
    saved(*arguments)
Monitor.on_step_end, module._save = killed, before
runpy.run_module("maqa_severity.trainers", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        pytest.param(["method=full"], marks=pytest.mark.weekly, id="full"),
        pytest.param(["method=lora", "lora.dropout=0.3"], id="lora"),
    ],
)
def test_killed_anywhere_it_ends_with_the_same_best_weights(method, dataset, checkpoint, tmp_path):
    whole = train(dataset, checkpoint, tmp_path / "whole", "patience=2", *method)
    last = whole.stopping["steps"]
    chosen = [part for each in (*LONG, "patience=2", *method) for part in ("--set", each)]
    asked = [
        str(dataset.folder),
        "--base",
        str(checkpoint),
        "--arm",
        "ce",
        "--out",
        str(tmp_path / "killed"),
        *chosen,
    ]
    for moment in ("7", "13", str(last - 1), str(last), "end"):
        done = subprocess.run([sys.executable, "-c", KILLED, moment, *asked], capture_output=True, text=True)
        assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    done = subprocess.run([sys.executable, "-m", "maqa_severity.trainers", *asked], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))
    said = json.loads((tmp_path / "killed" / "training.json").read_text())["stopping"]
    assert said == whole.stopping
    assert read_nll(tmp_path / "killed" / "nll.parquet").frame.equals(
        read_nll(tmp_path / "whole" / "nll.parquet").frame
    )
    assert measured(tmp_path / "killed") == measured(tmp_path / "whole")


def test_patience_without_validation_rows_is_refused_before_the_first_step(checkpoint, tmp_path):
    from maqa_severity.harness.data.rows import dataset_from_rows
    from maqa_severity.tasks.sample.grammar import medical_rows
    from maqa_severity.tests.tongues import ARABIC

    rows = medical_rows(ARABIC, 10)
    bare = dataset_from_rows(
        {"train": rows[:18], "validation": [], "test": rows[18:]},
        tmp_path / "bare",
        language=ARABIC,
        source="grammar",
    )
    with pytest.raises(UserError, match=r"validation\.parquet has no rows to measure or to stop by"):
        train(bare, checkpoint, tmp_path / "out", "patience=3")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("checkpoints", "told"), [("100", "no checkpoint was kept yet"), ("2", "checkpoint-2, the log")]
)
def test_a_step_without_numbers_names_itself_its_rows_and_the_last_good_checkpoint(
    checkpoints, told, dataset, checkpoint, tmp_path, monkeypatch
):
    import torch
    from maqa_severity.trainers.lm.trainer import WeightedTrainer

    clip = WeightedTrainer._clip_grad_norm

    def broken(self, model):
        if self.state.global_step == 3:
            next(each for each in model.parameters() if each.grad is not None).grad.fill_(torch.inf)
        return clip(self, model)

    monkeypatch.setattr(WeightedTrainer, "_clip_grad_norm", broken)
    out = tmp_path / "out"
    config = load_config(settings=[*SETTINGS, "log_every=1", f"checkpoint_every={checkpoints}"])
    with pytest.raises(UserError) as raised:
        train_lm(dataset, str(checkpoint), CE, config, out)
    line = str(raised.value)
    assert "not finite in step 4, by the rows " in line and told in line and "\n" not in line
    ids = dataset.split("train")["id"].tolist()
    assert sum(each in line for each in ids) == 4
    assert [each["step"] for each in log(out)] == [1, 2, 3]


def test_a_step_between_two_lines_of_the_log_is_named_too(dataset, checkpoint, tmp_path):
    config = load_config(settings=[*SETTINGS, "learning_rate=1e30", "log_every=5"])
    with pytest.raises(UserError, match=r"not finite in step [23], by the rows"):
        train_lm(dataset, str(checkpoint), CE, config, tmp_path / "out")


def test_who_stopped_when_is_named_where_trainings_are_compared(stopped):
    from types import SimpleNamespace

    from maqa_severity.harness.runs.conditions import stopped_notes

    def run(name, training):
        return SimpleNamespace(name=name, manifest=SimpleNamespace(model=SimpleNamespace(training=training)))

    manifest = stopped[1].model_dump(mode="json")
    said = manifest["stopping"]
    (line,) = stopped_notes([run("ce", manifest), run("echo", None)])
    assert f"ce {said['steps']} of 180 steps, with the weights of step {said['best_step']}" in line
    assert stopped_notes([run("old", {**manifest, "stopping": None})]) == []
