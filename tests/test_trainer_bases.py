"""Bases as the hub has them: without a pad token, with several end tokens, with settings that cannot be saved."""

import json

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.training import SETTINGS, gpt2_base, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.bases import load_tokenizer
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.train import train_lm

END = "<|endoftext|>"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


def test_the_remedy_for_a_gpt2_without_pad_works(tmp_path):
    base = str(gpt2_base(tmp_path / "base"))
    with pytest.raises(UserError, match=r"no pad token\. Name one, such as .*pad_token='<\|endoftext\|>'"):
        load_tokenizer(base, None, None)
    tokenizer = load_tokenizer(base, None, END)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == tokenizer.unk_token_id
    with pytest.raises(UserError, match="'nowhere' is not a token"):
        load_tokenizer(base, None, "nowhere")


def test_a_checkpoint_ends_where_its_base_ends(tmp_path, dataset):
    base = gpt2_base(tmp_path / "base", {"eos_token_id": [5, 7], "do_sample": True, "temperature": 0.6})
    config = load_config(settings=[*SETTINGS, f"pad_token={END}"])
    train_lm(dataset, str(base), ArmSpec.of("ce"), config, tmp_path / "out")
    saved = json.loads((tmp_path / "out" / "generation_config.json").read_text())
    assert sorted(saved["eos_token_id"]) == [0, 5, 7] and saved["temperature"] == 0.6


def test_sampling_settings_that_cannot_be_saved_do_not_cost_a_training(tmp_path, dataset):
    base = gpt2_base(tmp_path / "base", {"eos_token_id": 0, "do_sample": False, "temperature": 0.7})
    config = load_config(settings=[*SETTINGS, f"pad_token={END}"])
    train_lm(dataset, str(base), ArmSpec.of("ce"), config, tmp_path / "out")
    saved = json.loads((tmp_path / "out" / "generation_config.json").read_text())
    assert "temperature" not in saved and (saved["eos_token_id"], saved["pad_token_id"]) == (0, 0)


def test_a_damaged_base_is_one_line(tmp_path, dataset):
    base = gpt2_base(tmp_path / "base")
    (base / "model.safetensors").write_bytes(b"half")
    config = load_config(settings=[*SETTINGS, f"pad_token={END}"])
    with pytest.raises(UserError, match="cannot load base"):
        train_lm(dataset, str(base), ArmSpec.of("ce"), config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_mistyped_folder_is_called_one_and_no_bad_hub_id(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    for base in (str(tmp_path / "checkpoints" / "sevrity"), "checkpoints/sevrity", "./sevrity"):
        with pytest.raises(UserError, match="there is no such folder"):
            load_tokenizer(base, None, None)
    with pytest.raises(UserError) as told:
        load_tokenizer("somebody/model", None, None)
    assert "folder;" not in str(told.value)


@pytest.mark.parametrize("target", ["lm_head", "wte"])
def test_an_adapter_of_a_matrix_that_serves_twice_is_refused(target, tmp_path, dataset):
    base = gpt2_base(tmp_path / "base")
    lora = [*SETTINGS, f"pad_token={END}", "method=lora", f"lora.targets=[c_attn,{target}]"]
    with pytest.raises(UserError, match="one matrix as its head and its embeddings"):
        train_lm(dataset, str(base), ArmSpec.of("ce"), load_config(settings=lora), tmp_path / "out")
    assert not (tmp_path / "out").exists()
