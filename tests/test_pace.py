"""The control at the learning rate whose updates are as long as under the severity weights."""

import json

import pytest
from maqa_severity.tests.training import SETTINGS, medical_dataset, same, weights
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.train import train_lm

STRONG = "0.05,1,8"
CONFIG = load_config(settings=[*SETTINGS, "epochs=2", "loss=paper", "max_grad_norm=100"])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def paced(dataset, checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("paced")
    spec = ArmSpec.of("paced", weights=STRONG)
    return folder / "paced", train_lm(dataset, str(checkpoint), spec, CONFIG, folder / "paced")


def test_it_is_cross_entropy_at_the_rate_that_the_measured_ratio_gives(paced, dataset, checkpoint, tmp_path):
    folder, manifest = paced
    pace = manifest.cost["training"]["pace"]
    assert pace["ratio"] == pytest.approx(pace["weighted"] / pace["plain"]) and abs(pace["ratio"] - 1) > 0.02
    assert pace["steps"] == min(16, manifest.cost["training"]["steps"])
    config = CONFIG.model_copy(update={"learning_rate": CONFIG.learning_rate * pace["ratio"]})
    train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), config, tmp_path / "ce")
    assert same(weights(folder), weights(tmp_path / "ce"))
    assert (
        manifest.conditions["order_sha256"] and manifest.conditions["config.learning_rate"] == CONFIG.learning_rate
    )


def test_the_exposure_is_that_of_the_rate_it_trained_with(paced, dataset, checkpoint, tmp_path):
    _, manifest = paced
    plain = train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), CONFIG, tmp_path / "ce")
    ratio = manifest.cost["training"]["pace"]["ratio"]
    for name, found in manifest.exposure.items():
        assert found.rate == pytest.approx(plain.exposure[name].rate * ratio)
        assert found.presentations == plain.exposure[name].presentations


def test_it_is_the_same_every_time(paced, dataset, checkpoint, tmp_path):
    again = train_lm(dataset, str(checkpoint), ArmSpec.of("paced", weights=STRONG), CONFIG, tmp_path / "again")
    assert again.cost["training"]["pace"] == paced[1].cost["training"]["pace"]
    assert same(weights(paced[0]), weights(tmp_path / "again"))


def test_weights_that_hardly_differ_leave_the_rate_as_it_is(dataset, checkpoint, tmp_path):
    spec = ArmSpec.of("paced", weights="0.999,1,1.001")
    manifest = train_lm(dataset, str(checkpoint), spec, CONFIG, tmp_path / "flat")
    assert manifest.cost["training"]["pace"] is None


def test_the_rate_that_is_logged_is_that_of_the_pace(paced):
    folder, manifest = paced
    lines = [json.loads(line) for line in (folder / "training_log.jsonl").read_text().splitlines()]
    peak = CONFIG.learning_rate * manifest.cost["training"]["pace"]["ratio"]
    assert max(line["learning_rate"] for line in lines) == pytest.approx(peak)
