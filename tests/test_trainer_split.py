"""The pass of a step is as large as memory allows, and how a step is split changes nothing that is trained."""

from __future__ import annotations

import json
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from maqa_severity.harness.core import memory
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.training import causal_model, examples, gpt2_base, medical_dataset, weights
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm import run
from maqa_severity.trainers.lm.batches import Collator
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.split import Split, divisors, fitting, measured_split
from maqa_severity.trainers.lm.train import train_lm
from maqa_severity.trainers.losses.modes import LossMode


def costing(base, each, limit=None):
    """A pass of r rows takes base + each × r bytes, and fails beyond the limit; tells which were tried."""
    tried = []

    def measure(rows):
        tried.append(rows)
        if limit is not None and base + each * rows > limit:
            raise torch.OutOfMemoryError("no more")
        return base + each * rows

    return measure, tried


@pytest.mark.parametrize(("free", "rows"), [(10**9, 8), (900, 4), (600, 2), (500, 1), (300, 1), (250, 1)])
def test_the_largest_pass_that_leaves_room_is_taken(free, rows):
    measure, _ = costing(100, 120)
    assert fitting(8, measure, free) == Split(rows, 8 // rows)


def test_a_pass_that_will_not_fit_is_not_tried():
    measure, tried = costing(100, 120)
    fitting(64, measure, 2000)
    assert max(tried) * 120 + 100 <= 0.85 * 2000 and tried == sorted(tried)


def test_a_gpu_that_runs_out_of_memory_takes_the_pass_before():
    measure, tried = costing(100, 120, limit=700)
    assert fitting(8, measure, 10**9) == Split(4, 2)
    assert tried == [1, 2, 4, 8]


def test_not_even_one_row_is_an_error_with_a_way_out():
    measure, _ = costing(100, 120, limit=200)
    with pytest.raises(UserError, match="not even a pass of one row fits into memory") as refused:
        fitting(8, measure, 10**9)
    assert "max_length" in refused.value.remedy
    with pytest.raises(UserError, match=r"0\.00 GB are free"):
        fitting(8, costing(100, 120)[0], 10)


def test_without_knowledge_of_memory_it_is_one_row():
    assert fitting(8, costing(1, 1)[0], None) == Split(1, 8)


def test_a_pass_has_to_divide_the_step():
    assert Split.of(4, 12) == Split(4, 3) and divisors(12) == [1, 2, 3, 4, 6, 12]
    with pytest.raises(UserError, match="micro_batch 5 does not divide the 12 rows") as refused:
        Split.of(5, 12)
    assert "1, 2, 3, 4, 6, 12, or auto" in refused.value.remedy


def test_measuring_leaves_the_model_and_its_randomness_as_they_were():
    model = causal_model("gpt2", resid_pdrop=0.1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    split = measured_split(model, examples(8), Collator(pad_id=0), 4, LossMode.TOKENS)
    assert torch.rand(2).equal(wanted) and split.rows in divisors(4)
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert all(part.grad is None for part in model.parameters())


def test_the_longest_rows_are_those_that_are_measured():
    found = examples(6)
    assert list(found.lengths) == [len(found[place].ids) for place in range(len(found))]
    assert found.lengths.dtype == np.int64


def test_the_limit_of_a_control_group_counts(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert memory._group(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._group(tmp_path) is None and memory._group(tmp_path / "none") is None
    monkeypatch.setattr(memory, "_group", lambda: 5)
    assert memory.available_bytes() == 5


SETTINGS = ["method=full", "epochs=1", "rows=16", "max_length=64", "checkpoint_every=1", "lora.dropout=0"]


def trained(out, dataset, checkpoint, *settings):
    train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), load_config((), [*SETTINGS, *settings]), out)
    return weights(out), json.loads((out / "cost.json").read_text())["training"]


def farthest_of(one, other):
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "gpt2"
    return gpt2_base(folder, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)


def test_one_pass_of_eight_trains_what_eight_passes_of_one_do(tmp_path, dataset, base):
    end = "pad_token=<|endoftext|>"
    ones, cost = trained(tmp_path / "ones", dataset, base, end, "batch_size=1", "accumulation=8")
    assert cost["split"] == {"rows": 1, "accumulation": 8}
    whole, cost = trained(
        tmp_path / "whole", dataset, base, end, "batch_size=1", "accumulation=8", "micro_batch=auto"
    )
    assert cost["split"] == {"rows": 8, "accumulation": 1}
    assert farthest_of(ones, whole) < 1e-6
    manifests = [json.loads((tmp_path / name / "training.json").read_text()) for name in ("ones", "whole")]
    assert manifests[0]["identity"] == manifests[1]["identity"]


def test_another_split_neither_trains_again_nor_begins_anew(tmp_path, dataset, base):
    settings = ["pad_token=<|endoftext|>", "batch_size=8"]
    done, _ = trained(tmp_path / "done", dataset, base, *settings)
    before = (tmp_path / "done" / "training.json").read_bytes()
    trained(tmp_path / "done", dataset, base, *settings, "micro_batch=2")
    assert (tmp_path / "done" / "training.json").read_bytes() == before
    stopped = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt), stopping_after(1):
        trained(stopped, dataset, base, *settings)
    resumed, cost = trained(stopped, dataset, base, *settings, "micro_batch=2")
    assert cost["split"] == {"rows": 2, "accumulation": 4} and cost["steps_measured"] == 1
    assert farthest_of(done, resumed) < 1e-6


def test_what_was_measured_holds_for_the_whole_training(tmp_path, dataset, base, monkeypatch):
    settings = ["pad_token=<|endoftext|>", "batch_size=4", "micro_batch=auto"]
    stopped = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt), stopping_after(1):
        trained(stopped, dataset, base, *settings)
    monkeypatch.setattr(run, "measured_split", lambda *_: pytest.fail("it was measured before"))
    assert trained(stopped, dataset, base, *settings)[1]["split"] == {"rows": 4, "accumulation": 1}


@pytest.mark.parametrize(
    ("value", "said"), [("3", "does not divide the 8 rows"), ("0", "micro_batch"), ("big", "micro_batch")]
)
def test_an_impossible_micro_batch_is_refused(tmp_path, dataset, base, value, said):
    with pytest.raises(UserError, match=said):
        trained(tmp_path / "out", dataset, base, "pad_token=<|endoftext|>", "batch_size=8", f"micro_batch={value}")
    assert not (tmp_path / "out").exists()


@contextmanager
def stopping_after(steps):
    """Interrupt a training when it has saved so many steps."""
    with pytest.MonkeyPatch.context() as patch:
        saved = run.WeightedTrainer._save_checkpoint

        def interrupted(self, *arguments, **more):
            saved(self, *arguments, **more)
            if self.state.global_step == steps:
                raise KeyboardInterrupt

        patch.setattr(run.WeightedTrainer, "_save_checkpoint", interrupted)
        yield
