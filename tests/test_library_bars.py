"""What we start shows our progress alone, and none where nobody watches; transformers stays as it was."""

from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.tests.generating import hf_config
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import SETTINGS, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.demo.models import make_demo_base
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.train import train_lm


def test_loading_a_model_to_evaluate_shows_no_bar_of_transformers(checkpoint, tmp_path, capfd):
    from transformers import AutoModelForCausalLM

    HFEngine(hf_config(checkpoint, tmp_path))
    assert "Loading weights" not in capfd.readouterr().err
    AutoModelForCausalLM.from_pretrained(checkpoint)
    assert "Loading weights" in capfd.readouterr().err


def test_making_a_model_shows_no_bar_of_transformers(tmp_path, capfd):
    make_demo_base(tmp_path / "base", [("سؤال", "جواب")] * 8, epochs=1, language=ARABIC)
    assert "Writing model shards" not in capfd.readouterr().err


def test_training_into_a_log_file_writes_no_empty_lines(checkpoint, tmp_path, capfd):
    dataset = medical_dataset(tmp_path / "dataset")
    train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), load_config(settings=SETTINGS), tmp_path / "out")
    assert "" not in capfd.readouterr().err.split("\n")[:-1]
