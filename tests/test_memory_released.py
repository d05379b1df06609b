"""What has trained, answered or scored holds no memory when the next comes."""

from __future__ import annotations

import gc
import sys
import weakref
from types import SimpleNamespace

import pytest
import torch
from maqa_severity.harness.core import memory
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.evaluation.evaluate import EvaluationOptions, evaluate
from maqa_severity.harness.generation.config import GenerationConfig
from maqa_severity.harness.generation.decoding import Preset, decoding
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.metrics import registry
from maqa_severity.harness.metrics.bertscore.encoder import Encoder, choose_encoder
from maqa_severity.harness.metrics.bertscore.metric import BertScore
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import SETTINGS, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.execution import one
from maqa_severity.trainers.lm import run, train
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.train import train_lm
from maqa_severity.trainers.lm.trainer import WeightedTrainer


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture
def watched(monkeypatch):
    """Weak references to the model, the trainer and the optimizer of each training."""
    found = {}
    load, fit = run.load_for_training, WeightedTrainer.train

    def loading(*arguments, **more):
        model = load(*arguments, **more)
        found["model"] = weakref.ref(model)
        return model

    def training(self, *arguments, **more):
        found["trainer"] = weakref.ref(self)
        try:
            return fit(self, *arguments, **more)
        finally:
            found["optimizer"] = weakref.ref(self.optimizer.optimizer)

    monkeypatch.setattr(run, "load_for_training", loading)
    monkeypatch.setattr(WeightedTrainer, "train", training)
    return found


@pytest.mark.parametrize("method", ["full", "lora"])
def test_nothing_holds_a_model_after_its_training(method, tmp_path, monkeypatch, dataset, checkpoint, watched):
    released = []

    def release():
        memory.release()
        released.append([name for name, reference in watched.items() if reference() is not None])

    # As the training sees it: without another look by this test, which might collect what the training left.
    monkeypatch.setattr(train, "memory", SimpleNamespace(release=release))
    settings = [*SETTINGS, f"method={method}", "lora.r=2"]
    train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), load_config(settings=settings), tmp_path / "out")
    assert set(watched) == {"model", "trainer", "optimizer"}
    assert released == [[]]


def test_nothing_holds_the_model_of_a_training_that_failed(tmp_path, monkeypatch, dataset, checkpoint, watched):
    def training_step(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(WeightedTrainer, "training_step", training_step)
    try:
        train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), load_config(settings=SETTINGS), tmp_path / "out")
    except UserError as error:
        # Whoever still looks at the error holds the model by its frames.
        assert "ran out of memory" in str(error)
    memory.release()
    assert all(reference() is None for reference in watched.values())


def test_a_released_engine_holds_no_model(tmp_path, checkpoint):
    config = GenerationConfig(
        kind="hf",
        model_args={"pretrained": str(checkpoint)},
        decoding=decoding(Preset.GREEDY, ARABIC),
        store=tmp_path,
        device="cpu",
    )
    engine = HFEngine(config)
    model = weakref.ref(engine.lm.model)
    engine.release()
    assert model() is None


def test_a_released_encoder_holds_no_network(encoder):
    metric = BertScore(ARABIC, str(encoder), 2)
    metric.similarity([("a", "b")])
    network = weakref.ref(metric._encoder._network)
    metric.release()
    assert network() is None
    alone = Encoder(choose_encoder(str(encoder), 2))
    network = weakref.ref(alone._network)
    alone.release()
    assert network() is None


def test_an_evaluation_leaves_neither_engine_nor_encoder(tmp_path, monkeypatch, checkpoint, encoder):
    watched = []
    # What other tests have shared would not be loaded again.
    monkeypatch.setattr(registry, "_SHARED", {})
    for owner, part in ((HFEngine, lambda engine: engine.lm.model), (Encoder, lambda encoder: encoder._network)):
        made = owner.__init__

        def init(self, *arguments, _made=made, _part=part, **more):
            _made(self, *arguments, **more)
            watched.append(weakref.ref(_part(self)))

        monkeypatch.setattr(owner, "__init__", init)
    config = GenerationConfig(
        kind="hf",
        model_args={"pretrained": str(checkpoint)},
        decoding=decoding(Preset.GREEDY, ARABIC, max_new_tokens=4),
        store=tmp_path / "answers",
        device="cpu",
    )
    evaluate(config, EvaluationOptions(out=tmp_path, bertscore_model=str(encoder), limit=1), FOLDER, GROUP)
    # As `maqa run` does after each step of a cell.
    one._release()
    assert len(watched) == 2 and not any(reference() is not None for reference in watched)


def test_memory_of_a_gpu_is_given_back_after_what_held_it(monkeypatch):
    events = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: events.append("cache"))
    monkeypatch.setattr(memory.gc, "collect", lambda: events.append("collected"))
    memory.release()
    assert events == ["collected", "cache"]


def test_whoever_has_not_loaded_torch_need_not(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    memory.release()
    assert "torch" not in sys.modules and gc.isenabled()
