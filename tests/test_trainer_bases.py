"""Bases as the hub has them: without a pad token, with several end tokens, with settings that cannot be saved."""

import json
import re

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.training import SETTINGS, gpt2_base, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.base_check import base_problems
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


SMALL = {
    "vocab_size": 600,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}


def other_base(kind, folder):
    """A base that loads, or nearly, and would train from something else than a causal language model."""
    import transformers
    from safetensors.torch import load_file, save_file

    whole = gpt2_base(folder.parent / "whole")
    tokenizer = transformers.AutoTokenizer.from_pretrained(whole)
    match kind:
        case "classifier":
            config = transformers.LlamaConfig(**SMALL, num_key_value_heads=2)
            model = transformers.LlamaForSequenceClassification(config)
        case "tied classifier":
            model = transformers.GPT2ForSequenceClassification.from_pretrained(whole)
        case "masked":
            model = transformers.BertForMaskedLM(transformers.BertConfig(**SMALL))
        case "encoder":
            model = transformers.BertModel(transformers.BertConfig(**SMALL))
        case "encoder-decoder":
            sizes = {"d_model": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "vocab_size": 600}
            model = transformers.BartForConditionalGeneration(transformers.BartConfig(**sizes))
        case "adapter":
            from peft import LoraConfig, get_peft_model

            base = transformers.GPT2LMHeadModel.from_pretrained(whole)
            model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM"))
        case _:
            model = transformers.GPT2LMHeadModel.from_pretrained(whole)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if kind == "layerless":
        found = load_file(folder / "model.safetensors")
        kept = {name: value for name, value in found.items() if ".h.1." not in name}
        save_file(kept, folder / "model.safetensors", {"format": "pt"})
    if kind == "gguf":
        for path in folder.iterdir():
            path.unlink()
        (folder / "model.gguf").write_bytes(b"GGUF")
    return folder


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("classifier", "lacks lm_head.weight of a LlamaForCausalLM, being a LlamaForSequenceClassification"),
        ("tied classifier", "was trained for something else than to write, being a GPT2ForSequenceClassification"),
        ("masked", "BertLMHeadModel lets token 1 see token 2"),
        ("encoder", "lacks cls.predictions.bias, cls.predictions.decoder.bias and 4 more of a BertLMHeadModel"),
        ("encoder-decoder", "is an encoder-decoder (bart)"),
        ("adapter", "is an adapter of"),
        ("layerless", "lacks transformer.h.1.attn.c_attn.bias"),
        ("gguf", "maqa fetch"),
    ],
)
def test_what_is_no_whole_causal_model_is_refused_by_the_check_and_by_the_training(kind, words, tmp_path, dataset):
    base = str(other_base(kind, tmp_path / "base"))
    config = load_config(settings=[*SETTINGS, f"pad_token={END}"])
    problems = [str(problem) for problem in base_problems(base, None, config, new_tokens=8)]
    assert len(problems) == 1 and words in problems[0] and "\n" not in problems[0]
    with pytest.raises(UserError) as told:
        train_lm(dataset, base, ArmSpec.of("ce"), config, tmp_path / "out")
    assert words in str(told.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_batch_that_cannot_fit_is_said_before_the_training_with_a_split_that_fits(tmp_path, dataset, monkeypatch):
    from maqa_severity.trainers.lm import fitting

    base = str(gpt2_base(tmp_path / "base", vocab_size=20_000, n_embd=256, n_layer=4))
    # Of 8.3 million weights: gradients, moments, and little more.
    free = 8_300_000 * 12 + 150_000_000
    monkeypatch.setattr(fitting, "free_bytes", lambda: free)
    given = [*SETTINGS, f"pad_token={END}", "batch_size=64"]
    with pytest.raises(UserError, match=r"^64 examples of up to \d+ tokens would take about") as told:
        train_lm(dataset, base, ArmSpec.of("ce"), load_config(settings=given), tmp_path / "out")
    (rows,) = re.search(r"micro_batch=(\d+)", str(told.value)).groups()
    assert 64 % int(rows) == 0 and int(rows) < 64
    assert not (tmp_path / "out").exists()
    less = load_config(settings=[*given, f"micro_batch={rows}"])
    train_lm(dataset, base, ArmSpec.of("ce"), less, tmp_path / "out")
    monkeypatch.setattr(fitting, "free_bytes", lambda: 1_000_000)
    with pytest.raises(UserError, match=r"its gradients and AdamW's moments would take about .*method=lora"):
        train_lm(dataset, base, ArmSpec.of("ce"), load_config(settings=given), tmp_path / "none")
