"""Training in processes of its own: killed and gone on with, on two processes, and its errors."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from maqa_severity.harness.runs.conditions import difference
from maqa_severity.tests.training import SETTINGS, medical_dataset, same, weights
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.train import train_lm

SEVERITY = ArmSpec.of("severity")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


def command(dataset, base, out, *settings):
    chosen = [part for setting in settings for part in ("--set", setting)]
    return [
        sys.executable, "-m", "maqa_severity.trainers", str(dataset.folder), "--base", str(base),
        "--arm", "severity", "--out", str(out), *chosen,
    ]  # fmt: skip


KILLED = """
import os, runpy, signal
from maqa_severity.trainers.lm.monitor import Monitor

whole = Monitor.on_step_end
def killed(monitor, args, state, control, **more):
    if state.global_step == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(monitor, args, state, control, **more)
Monitor.on_step_end = killed
runpy.run_module("maqa_severity.trainers", run_name="__main__")
"""
"""The training, killed three steps after its second checkpoint."""


@pytest.mark.slow
@pytest.mark.parametrize("method", [["method=full"], ["method=lora", "lora.dropout=0.3"]], ids=["full", "lora"])
def test_killed_and_run_again_it_ends_with_the_weights_of_an_uninterrupted_run(
    method, tmp_path, dataset, checkpoint
):
    settings = [*SETTINGS, *method, "epochs=12", "checkpoint_every=5", "accumulation=2"]
    config = load_config(settings=settings)
    train_lm(dataset, str(checkpoint), SEVERITY, config, tmp_path / "whole")
    asked = command(dataset, checkpoint, tmp_path / "killed", *settings)
    killed = subprocess.run([sys.executable, "-c", KILLED, *asked[3:]], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-3000:]
    state = tmp_path / "killed" / "training_state"
    assert not (tmp_path / "killed" / "training.json").exists()
    # What a kill in the middle of logging leaves: lines after the checkpoint, the last of them half.
    with (tmp_path / "killed" / "training_log.jsonl").open("a") as log:
        log.write('{"step": 29, "loss": 0}\n{"step": 30, "lo')
    # What a kill in the middle of saving leaves: a checkpoint without its last file.
    broken = state / "checkpoint-9999"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"half")
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert same(weights(tmp_path / "killed"), weights(tmp_path / "whole"))
    cost = json.loads((tmp_path / "killed" / "cost.json").read_text())["training"]
    assert cost["steps_measured"] == cost["steps"] - 10
    logs = [
        [json.loads(line) for line in (tmp_path / name / "training_log.jsonl").read_text().splitlines()]
        for name in ("whole", "killed")
    ]
    assert [line["loss"] for line in logs[0]] == [line["loss"] for line in logs[1]]


def test_a_user_error_is_one_line_with_status_2(tmp_path, dataset, checkpoint):
    asked = command(dataset, checkpoint, tmp_path / "out", "epochz=3")
    done = subprocess.run(asked, capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"})
    assert done.returncode == 2
    assert done.stderr.startswith("maqa: --set epochz=3: unknown key 'epochz'") and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_two_processes_end_near_the_weights_of_one(tmp_path, dataset, checkpoint):
    one = load_config(settings=[*SETTINGS, "batch_size=4"])
    train_lm(dataset, str(checkpoint), SEVERITY, one, tmp_path / "one")
    asked = command(dataset, checkpoint, tmp_path / "two", *SETTINGS, "batch_size=2")[2:]
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
                "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
                "--main_process_port", "0", "-m"]  # fmt: skip
    done = subprocess.run(
        [*launcher, *asked], capture_output=True, text=True, env={**os.environ, "ACCELERATE_USE_CPU": "true"}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    # AdamW turns rounding of gradients near zero into steps, so weights agree less closely than gradients.
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < 1e-4
    manifests = [json.loads((tmp_path / name / "training.json").read_text()) for name in ("one", "two")]
    assert difference(*manifests) == [] and [found["processes"] for found in manifests] == [1, 2]
    assert dataset.folder == Path(manifests[1]["dataset"]["folder"])


@pytest.mark.slow
@pytest.mark.parametrize("precision", [pytest.param("fp32", marks=pytest.mark.weekly), "bf16"])
def test_the_shipped_fsdp_configuration_trains_as_one_process_does(precision, tmp_path, dataset, checkpoint):
    import maqa_severity.trainers

    losses = {}
    for name in ("fp32", "bf16"):
        one = load_config(settings=[*SETTINGS, "batch_size=4", f"precision={name}"])
        train_lm(dataset, str(checkpoint), SEVERITY, one, tmp_path / name)
        losses[name] = losses_of(tmp_path / name)
    asked = command(dataset, checkpoint, tmp_path / "two", *SETTINGS, "batch_size=2", f"precision={precision}")[3:]
    shipped = Path(maqa_severity.trainers.__file__).parent / "fsdp.yaml"
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(shipped),
                "--main_process_port", "0", str(Path(__file__).parent / "fsdp_worker.py")]  # fmt: skip
    done = subprocess.run(
        [*launcher, *asked], capture_output=True, text=True, env={**os.environ, "ACCELERATE_USE_CPU": "true"}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    closeness = {"fp32": 1e-5, "bf16": 1e-3}[precision]
    sharded = losses_of(tmp_path / "two")
    assert sharded == pytest.approx(losses[precision], rel=closeness)
    assert (sharded == pytest.approx(losses["fp32"], rel=1e-5)) == (precision == "fp32")
    first, second = weights(tmp_path / precision), weights(tmp_path / "two")
    # Sharded, a tied head is written beside the embeddings that it is.
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < 10 * closeness


def losses_of(folder):
    """The logged loss of each step."""
    return [json.loads(line)["loss"] for line in (folder / "training_log.jsonl").read_text().splitlines()]
