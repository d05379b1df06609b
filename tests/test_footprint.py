"""What an experiment takes is told before anything is loaded, and a disk that cannot hold it is refused."""

from __future__ import annotations

import json
import shutil
import socket
from collections import namedtuple
from pathlib import Path

import pytest
import yaml
from maqa_severity.commands.app import app
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import open_dataset
from maqa_severity.tests.training import causal_model, gpt2_base, medical_dataset
from maqa_severity.trainers.experiments.config import load_experiment
from maqa_severity.trainers.experiments.footprint import ROW_BYTES, footprints
from maqa_severity.trainers.experiments.gpus import GPUS
from maqa_severity.trainers.experiments.grid import cells
from maqa_severity.trainers.experiments.shapes import shape_of
from maqa_severity.trainers.experiments.stated import trained_parameters
from maqa_severity.trainers.lm.adapters import with_adapters
from maqa_severity.trainers.lm.config import TrainConfig
from typer.testing import CliRunner

A100 = GPUS["a100"]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return gpt2_base(tmp_path_factory.mktemp("base") / "gpt2")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


def look(*arguments):
    from maqa_severity.commands import demo as _  # noqa: F401

    return CliRunner().invoke(app, ["run", *map(str, arguments), "--check"])


def experiment_of(folder, base, source="nowhere.csv", **changes):
    path = folder / "grid.yaml"
    values = {
        "name": "grid",
        "data": {"source": str(source), "test": 30},
        "models": [{"name": "one", "id": str(base), "training": {"pad_token": "<|endoftext|>"}}],
        "arms": [{"arm": "base"}, {"arm": "ce"}],
        "seeds": [0, 1],
        "training": {"rows": 20, "epochs": 2, "batch_size": 4, "max_length": 128},
    }
    path.write_text(yaml.safe_dump(values | changes), encoding="utf-8")
    return load_experiment(path)


def found_of(experiment, out, dataset=None, gpu=A100):
    return footprints(experiment, list(cells(experiment, out)), dataset, out, gpu)


@pytest.mark.parametrize("kind", ["gpt2", "qwen2", "qwen2-tied"])
def test_a_base_is_counted_from_the_headers_of_its_files(kind, tmp_path):
    model = causal_model(kind)
    model.save_pretrained(tmp_path)
    shape = shape_of(str(tmp_path), None)
    assert shape.parameters == model.num_parameters() and shape.here
    assert (shape.width, shape.layers) == (model.config.hidden_size, model.config.num_hidden_layers)
    assert shape.vocabulary == model.config.vocab_size
    assert shape.file_bytes == 4 * shape.parameters


def test_adapters_of_square_matrices_are_counted_exactly(tmp_path):
    model = causal_model("qwen2")
    whole = model.num_parameters()
    model.save_pretrained(tmp_path)
    config = TrainConfig(lora={"r": 4, "targets": ["q_proj", "o_proj"]})
    adapted = with_adapters(model, config)
    trained = sum(part.numel() for part in adapted.parameters() if part.requires_grad)
    assert trained_parameters(shape_of(str(tmp_path), None), config) == trained
    assert trained_parameters(shape_of(str(tmp_path), None), TrainConfig(method="full")) == whole


def test_steps_answers_and_bytes_are_those_of_the_experiment(tmp_path, base):
    found = found_of(experiment_of(tmp_path, base), tmp_path / "out")
    untrained, *trained = found.cells
    assert untrained.steps == 0 and untrained.training_hours == 0 and untrained.checkpoint_bytes == 0
    assert [cell.label for cell in trained] == ["ce/seed-0", "ce/seed-1"] and not found.counted
    assert {cell.steps for cell in trained} == {20 * 2 // 4}
    assert {cell.run_bytes for cell in found.cells} == {30 * ROW_BYTES}
    assert found.hours == pytest.approx(sum(cell.training_hours + cell.answering_hours for cell in found.cells))
    assert found.downloads == [] and found.dearest[0] in trained


def test_rows_and_words_are_the_datas_where_it_is_there(tmp_path, base, dataset):
    data = open_dataset(dataset.folder)
    experiment = experiment_of(
        tmp_path, base, dataset.folder, training={"epochs": 1, "batch_size": 1, "max_length": 128}
    )
    found = found_of(experiment, tmp_path / "out", data)
    assert found.counted and found.cells[1].steps == len(data.split("train"))
    assert found.cells[0].run_bytes == len(data.split("test")) * ROW_BYTES


def test_nothing_is_told_of_what_cannot_be_known(tmp_path):
    experiment = experiment_of(tmp_path, "nobody/knows", training={"epochs": 1})
    cell = found_of(experiment, tmp_path / "out").cells[1]
    assert cell.steps is None and cell.training_hours is None and cell.peak_bytes is None
    assert [each.size for each in found_of(experiment, tmp_path / "out").downloads] == [None]


def test_a_faster_gpu_takes_less_and_one_large_batch_less_than_many_small_ones(tmp_path):
    experiment = load_experiment(Path("paper"))

    def hours(gpu, **training):
        changed = experiment.model_copy(update={"training": experiment.training | training})
        return found_of(changed, tmp_path, gpu=GPUS[gpu]).hours

    assert hours("h100", batch_size=64, accumulation=1) < hours("t4", batch_size=64, accumulation=1)
    ones = hours("a100", batch_size=1, accumulation=8, micro_batch=None)
    assert hours("a100", batch_size=8, accumulation=1, micro_batch=None) < ones
    assert hours("a100", batch_size=8, accumulation=1, micro_batch=1) == ones
    assert hours("a100") == hours("a100", batch_size=8, accumulation=1, micro_batch=None)


def test_the_paper_is_told_offline_with_its_hours_and_its_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(OSError("no network")))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("COLUMNS", "200")
    done = look("paper", "--out", tmp_path / "out")
    words = " ".join(done.stdout.split())
    assert "GPU hours and" in words and "GB of disk beside the bases" in words and "To download: 10 bases" in words
    assert isinstance(done.exception, UserError) and not (tmp_path / "out").exists()
    found = found_of(load_experiment(Path("paper")), tmp_path)
    assert sum(cell.checkpoint_bytes for cell in found.cells) < 2e9


def test_an_unknown_gpu_is_named_with_those_there_are(tmp_path):
    done = look("paper", "--out", tmp_path / "out", "--gpu", "abacus")
    assert isinstance(done.exception, UserError), done.output
    assert "unknown GPU 'abacus'" in str(done.exception)
    assert "t4" in done.exception.remedy


def test_an_experiment_that_the_disk_cannot_hold_does_not_begin(tmp_path, base, dataset, monkeypatch):
    from maqa_severity.trainers.experiments.preflight import demand_ready

    experiment = experiment_of(tmp_path, base, dataset.folder, evaluation={"bertscore_model": "demo"})
    out = tmp_path / "out"
    demand_ready(experiment, list(cells(experiment, out)), out)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    with pytest.raises(UserError, match=r"this experiment needs .* GB, and 0\.00 GB are free") as refused:
        demand_ready(experiment, list(cells(experiment, out)), out)
    assert "another disk" in refused.value.remedy


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 16, (12).to_bytes(8, "little") + b"{not json at", (2).to_bytes(8, "little") + b"{}"]
)
def test_a_broken_file_of_weights_is_named(tmp_path, content):
    (tmp_path / "config.json").write_text(
        json.dumps({"hidden_size": 8, "num_hidden_layers": 1, "vocab_size": 9}), encoding="utf-8"
    )
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(UserError, match=r"model\.safetensors is no whole safetensors file"):
        shape_of(str(tmp_path), None)
