"""One optimizer step of the real Trainer: exact over micro-batches and processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from maqa_severity.tests.training import batch, causal_model, examples, farthest, loss_and_gradients, step_gradients
from maqa_severity.trainers.losses.modes import LossMode

WEIGHTS = [0.5, 1.5, 1.0, 0.7]


@pytest.mark.parametrize("shape", ["gpt2", "qwen2"])
def test_weights_of_one_equal_the_stock_trainer(shape, tmp_path):
    settings = {"mode": LossMode.TOKENS, "batch_size": 2, "accumulation": 2}
    wanted, expected = step_gradients(causal_model(shape), examples(4), tmp_path / "stock", stock=True, **settings)
    ours, loss = step_gradients(causal_model(shape), examples(4), tmp_path / "ours", **settings)
    assert abs(loss - expected) < 1e-6
    assert farthest(ours, wanted) < 1e-6


@pytest.mark.parametrize("mode", list(LossMode))
@pytest.mark.parametrize(("batch_size", "accumulation"), [(1, 4), (2, 2), (4, 1)])
def test_the_split_into_micro_batches_changes_nothing(mode, batch_size, accumulation, tmp_path):
    expected, wanted = loss_and_gradients(causal_model("qwen2"), batch(4, WEIGHTS), mode)
    ours, loss = step_gradients(
        causal_model("qwen2"),
        examples(4, WEIGHTS),
        tmp_path,
        mode=mode,
        batch_size=batch_size,
        accumulation=accumulation,
    )
    assert abs(loss - expected) < 1e-6
    assert farthest(ours, wanted) < 1e-6


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """Gradients by loss, from two processes without a GPU; accelerate calls any several "multi_gpu"."""
    from safetensors.torch import load_file

    folder = tmp_path_factory.mktemp("processes")
    worker = Path(__file__).parent / "training_worker.py"
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
         "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0",
         str(worker), str(folder), ",".join(map(str, WEIGHTS[:3]))],
        env={**os.environ, "ACCELERATE_USE_CPU": "true"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: load_file(folder / f"{name}.safetensors") for name in (*LossMode, "fsdp")}


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(LossMode))
def test_two_processes_equal_one_with_twice_the_batch(mode, two_processes):
    expected, wanted = loss_and_gradients(causal_model("qwen2-tied"), batch(3, WEIGHTS[:3]), mode)
    found = dict(two_processes[mode])
    assert abs(float(found.pop("loss")) - float(expected)) < 1e-6
    assert farthest(found, wanted) < 1e-6


def test_sharded_weights_get_the_same_gradients(two_processes):
    _, wanted = loss_and_gradients(causal_model("qwen2-tied"), batch(4, WEIGHTS), LossMode.TOKENS)
    assert farthest(two_processes["fsdp"], wanted) < 1e-6


def test_the_shipped_fsdp_configuration_is_one_of_accelerates():
    import maqa_severity.trainers
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(Path(maqa_severity.trainers.__file__).parent / "fsdp.yaml"))
    assert config.distributed_type == "FSDP"
    # The checkpoint is saved whole, not in shards that only accelerate reads.
    assert config.fsdp_config["fsdp_state_dict_type"] == "FULL_STATE_DICT"
