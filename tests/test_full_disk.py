"""A disk that is full in the middle of a checkpoint costs that checkpoint alone."""

import resource

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.files import write_text
from maqa_severity.tests.training import gpt2_base, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.config import TrainConfig
from maqa_severity.trainers.lm.train import train_lm
from maqa_severity.trainers.lm.trainer import WeightedTrainer

SETTINGS = {
    "method": "full", "epochs": 1, "batch_size": 4, "max_length": 128, "checkpoint_every": 1, "rows": 20,
    "pad_token": "<|endoftext|>",
}  # fmt: skip


class Limit:
    """No file may grow beyond it, as on a full disk: a write fails in the middle."""

    def __init__(self, size):
        self._limits, self._size = resource.getrlimit(resource.RLIMIT_FSIZE), size

    def __enter__(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._size, self._limits[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)


@pytest.mark.parametrize("share", [0.5, 1.5])
def test_the_last_good_checkpoint_is_kept_and_gone_on_from_to_the_same_weights(share, tmp_path, monkeypatch):
    """At half the size of the weights safetensors fails, beyond it torch with the optimizer's moments."""
    base, dataset = gpt2_base(tmp_path / "base", n_embd=16, n_layer=1), medical_dataset(tmp_path / "data")
    save, size = WeightedTrainer._save_checkpoint, (base / "model.safetensors").stat().st_size

    def train(out):
        return train_lm(dataset, str(base), ArmSpec.of("ce"), TrainConfig(**SETTINGS), out)

    def full(trainer, *given):
        if trainer.state.global_step < 3:
            save(trainer, *given)
            return
        with Limit(int(share * size)):
            save(trainer, *given)

    train(tmp_path / "whole")
    out = tmp_path / "part"
    with monkeypatch.context() as patch, pytest.raises(UserError) as raised:
        patch.setattr(WeightedTrainer, "_save_checkpoint", full)
        train(out)
    told = str(raised.value)
    assert f"cannot write the checkpoint in {out}: " in told and "; checkpoint-2 is kept. Make room" in told
    assert "\n" not in told
    assert {path.name for path in (out / "training_state").glob("checkpoint-*")} == {"checkpoint-1", "checkpoint-2"}
    train(out)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (tmp_path / "whole", out)]
    assert weights[0] == weights[1]


def test_a_file_that_a_full_disk_could_not_hold_is_one_line_and_the_old_one_stays(tmp_path):
    path = tmp_path / "board.json"
    write_text(path, "before")
    with (
        Limit(100),
        pytest.raises(UserError, match=r"cannot write .*board\.json: .*; what was there is kept\. Make"),
    ):
        write_text(path, "x" * 1000)
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
