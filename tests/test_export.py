"""``maqa export``: the merged model answers as base and adapter do, and says what it was made of."""

import json
import shutil

import pytest
import yaml
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.adapters import foreign_adapter, trained_adapter
from maqa_severity.tests.generating import answer, hf_config
from maqa_severity.tests.test_start_token import gemma  # noqa: F401
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import SETTINGS, medical_dataset, weights
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.export import export
from maqa_severity.trainers.lm.train import train_lm
from transformers import AutoModelForCausalLM, AutoTokenizer


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, dataset, checkpoint):
    return trained_adapter(dataset, checkpoint, tmp_path_factory.mktemp("arms") / "severity")


def test_the_merged_model_answers_as_base_and_adapter_do(adapter, checkpoint, tmp_path):
    made = export(adapter, tmp_path / "model")
    ours, merged = (answer(hf_config(each, tmp_path / each.name), 12) for each in (adapter, made))
    assert ours.texts == merged.texts != answer(hf_config(checkpoint, tmp_path / "base"), 12).texts
    assert {"model.safetensors", "tokenizer.json", "README.md"} <= {path.name for path in made.iterdir()}
    assert not any(path.suffix in (".bin", ".pt") for path in made.iterdir())
    model, tokenizer = AutoModelForCausalLM.from_pretrained(made), AutoTokenizer.from_pretrained(made)
    assert len(tokenizer) <= model.get_input_embeddings().num_embeddings
    changed = {name for name, each in weights(made).items() if not each.equal(weights(checkpoint)[name])}
    assert changed and all("q_proj" in name or "v_proj" in name for name in changed)


def test_the_card_names_base_data_arm_and_no_licence(adapter, checkpoint, tmp_path):
    source = shutil.copytree(adapter, tmp_path / "arm")
    training = json.loads((source / "training.json").read_text())
    training["dataset"]["source"] = "a | b\n---\n# Heading <script>"
    (source / "training.json").write_text(json.dumps(training))
    card = (export(source, tmp_path / "model") / "README.md").read_text()
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "language": ARABIC.code,
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["maqa-severity"],
    }
    assert training["base"]["weights"]["files"] in body and str(checkpoint.parent) not in card
    assert "| arm | severity-balanced |" in body and "This card grants no licence" in body
    assert "<script>" not in body and "\n# Heading" not in body and r"a \| b" in body


def test_a_start_token_that_was_decided_stays_and_half_the_bytes_are_enough(gemma, dataset, tmp_path):  # noqa: F811
    import torch
    from maqa_severity.harness.generation.start_token import starts

    arm = trained_adapter(dataset, gemma, tmp_path / "arm", "rows=4", "add_bos_token=true")
    made = export(arm, tmp_path / "model", bf16=True)
    assert starts(AutoTokenizer.from_pretrained(made))
    assert AutoModelForCausalLM.from_pretrained(made).dtype == torch.bfloat16


def test_a_base_that_has_moved_is_named(dataset, checkpoint, tmp_path):
    base = shutil.copytree(checkpoint, tmp_path / "base")
    arm = trained_adapter(dataset, base, tmp_path / "arms" / "arm", "rows=4")
    moved = shutil.move(base, tmp_path / "moved")
    with pytest.raises(UserError, match="is not there"):
        export(arm, tmp_path / "model")
    assert not (tmp_path / "model").exists()
    assert export(arm, tmp_path / "model", str(moved)).is_dir()


def test_what_cannot_be_merged_is_one_line(dataset, checkpoint, adapter, tmp_path):
    whole, untrained = tmp_path / "whole", trained_adapter(dataset, checkpoint, tmp_path / "base", arm="base")
    train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), load_config(settings=[*SETTINGS, "rows=4"]), whole)
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    model.config.tie_word_embeddings = True
    model.tie_weights()
    model.save_pretrained(tmp_path / "tied")
    AutoTokenizer.from_pretrained(checkpoint).save_pretrained(tmp_path / "tied")
    tied = foreign_adapter(tmp_path / "tied", tmp_path / "head", target_modules=["lm_head"])
    (tmp_path / "empty").mkdir()
    for folder, told in (
        (whole, "holds a whole model already. Publish that folder as it is"),
        (untrained, "is the untrained base .* itself, and has nothing to merge"),
        (tied, "adapts a matrix that serves as head and as embeddings"),
        (tmp_path / "empty", "holds no adapter"),
        (tmp_path / "nowhere", "there is no folder"),
    ):
        with pytest.raises(UserError, match=told):
            export(folder, tmp_path / "model")
        assert not (tmp_path / "model").exists()
    with pytest.raises(UserError, match="is not an empty folder"):
        export(adapter, whole)
