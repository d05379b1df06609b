"""A training tells trackers what its own log says, and none of them is a surprise."""

from __future__ import annotations

import importlib.util
import os
import socket
import struct

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.training import SETTINGS, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm import trackers
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.trackers import FOLDER, Tracker, demand_trackers, tracking
from maqa_severity.trainers.lm.train import train_lm

TENSORBOARD = any(importlib.util.find_spec(name) for name in ("tensorboard", "tensorboardX"))


def scalars(folder):
    """The numbers of TensorBoard's event files: a length, its checksum, an event, its checksum, again and again."""
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for path in sorted(folder.glob("events.*")):
        content, place = path.read_bytes(), 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)
            event = Event.FromString(content[place + 12 : place + 12 + length])
            place += 16 + length
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


@pytest.mark.skipif(not TENSORBOARD, reason="neither tensorboard nor tensorboardX is installed")
def test_tensorboard_is_told_what_the_log_says_and_the_checkpoint_stays_the_same(tmp_path, checkpoint):
    import json

    dataset = medical_dataset(tmp_path / "dataset")
    told, alone = tmp_path / "told", tmp_path / "alone"
    for out, more in ((told, ["report_to=[tensorboard]"]), (alone, [])):
        config = load_config(settings=[*SETTINGS, "log_every=1", *more])
        train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), config, out)
    log = [json.loads(line) for line in (told / "training_log.jsonl").read_text().splitlines()]
    found = scalars(told / FOLDER)
    losses = [(line["step"], pytest.approx(line["loss"], rel=1e-6)) for line in log if "loss" in line]
    assert found["train/loss"] == losses and any(name.startswith("train/loss_") for name in found)
    assert (told / "training.json").exists() and not (alone / FOLDER).exists()
    assert "TENSORBOARD_LOGGING_DIR" not in os.environ
    identities = [json.loads((out / "training.json").read_text())["identity"] for out in (told, alone)]
    assert identities[0] == identities[1]


def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_written(tmp_path, checkpoint, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "wandb" else find(name))
    with pytest.raises(UserError, match="report_to wandb needs a package") as refused:
        demand_trackers([Tracker.WANDB])
    assert "pip install wandb" in refused.value.remedy
    dataset = medical_dataset(tmp_path / "dataset")
    with pytest.raises(UserError, match="report_to wandb"):
        config = load_config(settings=[*SETTINGS, "report_to=[wandb]"])
        train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_tracker_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"report_to.*'tensorboard', 'trackio' or 'wandb'"):
        load_config(settings=["report_to=[mlflow]"])


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))


@pytest.mark.usefixtures("nobody")
def test_without_a_key_weights_and_biases_is_offline_and_says_so(tmp_path):
    said = []
    with tracking([Tracker.WANDB], tmp_path, said.append):
        assert os.environ["WANDB_MODE"] == "offline" and os.environ["WANDB_DIR"] == str(tmp_path)
    assert "WANDB_MODE" not in os.environ
    assert len(said) == 1 and "no key is set" in said[0] and "wandb sync" in said[0]


@pytest.mark.usefixtures("nobody")
def test_without_a_network_it_is_offline_too_and_the_key_stands_nowhere(tmp_path, monkeypatch):
    def unreachable(*_):
        raise OSError("no route")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    monkeypatch.setenv("WANDB_API_KEY", "very-secret")
    said = []
    with tracking([Tracker.WANDB], tmp_path, said.append):
        assert os.environ["WANDB_MODE"] == "offline"
    assert "api.wandb.ai does not answer" in said[0] and "very-secret" not in said[0]


@pytest.mark.usefixtures("nobody")
def test_what_the_environment_says_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "mine")
    said = []
    with tracking([Tracker.WANDB, Tracker.TENSORBOARD], tmp_path, said.append):
        assert os.environ["WANDB_MODE"] == "disabled" and os.environ["TENSORBOARD_LOGGING_DIR"] == "mine"
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == "mine" and not said


@pytest.mark.usefixtures("nobody")
def test_a_key_that_was_logged_in_with_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_: socket.socket())
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert trackers._offline() == ""
