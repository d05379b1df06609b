"""Checkpoints that are an adapter, or nothing but the name of a base: what they hold, and who can read them."""

import json
import shutil

import pytest
import torch
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.records import Prompt
from maqa_severity.harness.generation.store.identity import identity
from maqa_severity.tests.adapters import foreign_adapter, said_by, trained_adapter
from maqa_severity.tests.generating import answer, hf_config
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import medical_dataset, weights
from transformers import AutoModelForCausalLM, AutoTokenizer

NEW_TOKENS = 24


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, dataset, checkpoint):
    return trained_adapter(dataset, checkpoint, tmp_path_factory.mktemp("arms") / "severity")


@pytest.fixture(scope="module")
def reference(tmp_path_factory, dataset, checkpoint):
    return trained_adapter(dataset, checkpoint, tmp_path_factory.mktemp("arms") / "base", arm="base")


@pytest.fixture(scope="module")
def prompts():
    from maqa_severity.tasks.sample.grammar import everyday_rows

    texts = [ARABIC.ask(row["question"]) for row in everyday_rows(ARABIC, 12)]
    return [Prompt(str(n), text, 0, str(n), "neutral", "") for n, text in enumerate(texts)]


def whole(prompts, tmp_path, folder, **arguments):
    """Each answer of our engine to its last token: no stop string ends it."""
    from maqa_severity.harness.generation.decoding import decoding

    how = decoding("greedy", ARABIC, max_new_tokens=NEW_TOKENS, until=())
    config = hf_config(folder, tmp_path / "unused", how, arguments={"dtype": "auto", **arguments})
    engine = HFEngine(config)
    return [(found.text, found.tokens) for found in engine.generate(prompts)]


def of(tmp_path, folder, **arguments):
    return identity(hf_config(folder, tmp_path, arguments={"dtype": "auto", **arguments}))


def test_an_arm_keeps_its_adapter_alone(adapter, checkpoint):
    names = {path.name for path in adapter.iterdir()}
    assert names == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "cost.json",
        "curves.html",
        "nll.parquet",
        "training.json",
        "training_base.json",
        "training_log.jsonl",
        "training_questions.txt",
    }
    record = json.loads((adapter / "training_base.json").read_text())
    training = json.loads((adapter / "training.json").read_text())
    assert record["name"] == str(checkpoint.resolve()) and record["weights"] == training["base"]["weights"]
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == record["name"] and config["peft_type"] == "LORA"
    assert all(".lora_" in name for name in weights(adapter))


@pytest.mark.slow
def test_a_checkpoint_takes_less_than_3_percent_of_its_base(tmp_path, dataset):
    from maqa_severity.tasks.sample.grammar import everyday_rows
    from maqa_severity.trainers.demo.tokenizers import causal_tokenizer
    from transformers import Qwen2Config, Qwen2ForCausalLM

    rows = everyday_rows(ARABIC, 100)
    tokenizer = causal_tokenizer([row[key] for row in rows for key in ("question", "answer")])
    shape = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 4, "num_attention_heads": 6}
    special = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    Qwen2ForCausalLM(
        Qwen2Config(vocab_size=16_000, num_key_value_heads=2, max_position_embeddings=256, **shape, **special)
    ).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    sizes = {}
    for arm in ("base", "severity"):
        out = trained_adapter(dataset, tmp_path / "base", tmp_path / "arms" / arm, "rows=4", "lora.r=16", arm=arm)
        sizes[arm] = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    base = sum(path.stat().st_size for path in (tmp_path / "base").iterdir())
    assert sizes["severity"] <= 0.03 * base and sizes["base"] <= 0.001 * base


def test_our_engine_answers_as_plain_peft_transformers_and_a_merged_copy_do(adapter, checkpoint, prompts, tmp_path):
    from peft import AutoPeftModelForCausalLM, PeftModel

    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    by_peft = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(checkpoint), adapter).eval()
    expected = said_by(by_peft, tokenizer, prompts, NEW_TOKENS)
    for plain in (AutoModelForCausalLM, AutoPeftModelForCausalLM):
        assert said_by(plain.from_pretrained(adapter).eval(), tokenizer, prompts, NEW_TOKENS) == expected
    by_peft.merge_and_unload().save_pretrained(tmp_path / "merged")
    tokenizer.save_pretrained(tmp_path / "merged")
    found = whole(prompts, tmp_path, adapter)
    assert found == whole(prompts, tmp_path, tmp_path / "merged") != whole(prompts, tmp_path, checkpoint)
    assert [text.strip() for text, _ in found] == [text.strip() for text in expected]


def test_lm_eval_alone_answers_as_we_do(adapter, checkpoint, tmp_path):
    from lm_eval.models.huggingface import HFLM
    from maqa_severity.tests.generating import GREEDY, requests

    ours = answer(hf_config(adapter, tmp_path), 8)
    plain = HFLM(pretrained=str(checkpoint), peft=str(adapter), dtype="float32", device="cpu", batch_size=8)
    theirs = plain.generate_until(requests(8), disable_tqdm=True)
    assert [text.strip() for text in theirs] == [text.strip() for text in ours.texts]
    assert answer(hf_config(checkpoint, tmp_path, GREEDY), 8).texts != ours.texts


def test_the_untrained_base_answers_as_itself_and_counts_as_itself(reference, checkpoint, prompts, tmp_path):
    assert whole(prompts, tmp_path, reference) == whole(prompts, tmp_path, checkpoint)
    assert of(tmp_path, reference) == of(tmp_path, checkpoint, dtype="float32")


def test_answers_are_kept_under_the_weights_of_adapter_and_base_wherever_these_lie(
    adapter, checkpoint, dataset, tmp_path
):
    base = shutil.copytree(checkpoint, tmp_path / "base")
    copy = trained_adapter(dataset, base, tmp_path / "arms" / "severity")
    kept = of(tmp_path, copy)
    assert kept == of(tmp_path, adapter)
    assert kept["model_args"]["pretrained"].keys() == {"adapter", "base"}
    # Both moved together, then the base alone.
    shutil.move(tmp_path / "base", tmp_path / "moved" / "base")
    shutil.move(tmp_path / "arms", tmp_path / "moved" / "arms")
    copy = tmp_path / "moved" / "arms" / "severity"
    assert of(tmp_path, copy) == kept
    base = shutil.move(tmp_path / "moved" / "base", tmp_path / "elsewhere")
    with pytest.raises(
        UserError, match=r"the base .* is not there\. Say where it is by base=FOLDER in --model-args"
    ):
        of(tmp_path, copy)
    assert of(tmp_path, copy, base=str(base)) == kept
    other = trained_adapter(dataset, checkpoint, tmp_path / "other", "seed=1")
    assert of(tmp_path, other) != kept
    assert of(tmp_path, adapter, dtype="bfloat16") != kept == of(tmp_path, adapter, dtype="float32")


def test_a_base_that_is_another_one_by_now_is_refused(dataset, checkpoint, tmp_path):
    base = shutil.copytree(checkpoint, tmp_path / "base")
    arm = trained_adapter(dataset, base, tmp_path / "arm")
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        model.lm_head.weight[0, 0] += 1
    model.save_pretrained(base)
    told = rf"{base} is not the base of {arm}: its files are others.*Say where it is by base="
    with pytest.raises(UserError, match=told):
        of(tmp_path, arm)
    with pytest.raises(UserError, match=told):
        of(tmp_path, arm, base=str(base))
    assert of(tmp_path, arm, base=str(checkpoint))


@pytest.mark.parametrize(
    ("given", "told"),
    [({"peft": "x"}, "peft= cannot be used with"), ({"revision": "main"}, "revision= cannot be used with")],
)
def test_arguments_that_a_checkpoint_brings_itself_are_refused(given, told, adapter, tmp_path):
    with pytest.raises(UserError, match=told):
        of(tmp_path, adapter, **given)


def test_a_whole_model_stands_on_no_base(checkpoint, tmp_path):
    with pytest.raises(UserError, match=r"is no adapter, and stands on no base\. Leave base= out"):
        of(tmp_path, checkpoint, base="x")


def test_a_record_that_cannot_be_read_is_one_line(adapter, tmp_path):
    broken = shutil.copytree(adapter, tmp_path / "arm")
    record = json.loads((broken / "training_base.json").read_text())
    (broken / "training_base.json").write_text(json.dumps({**record, "name": 3}))
    with pytest.raises(UserError, match=r"training_base.json key 'name'.*Train the checkpoint again"):
        of(tmp_path, broken)


def test_a_base_of_the_hub_is_loaded_at_its_commit(dataset, checkpoint, prompts, tmp_path, monkeypatch):
    import huggingface_hub.constants as hub

    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "cache" / "models--org--name"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(commit)
    snapshot = shutil.copytree(checkpoint, cached / "snapshots" / commit)
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    arm = trained_adapter(dataset, "org/name", tmp_path / "arm")
    record = json.loads((arm / "training_base.json").read_text())
    assert (record["name"], record["revision"], record["near"]) == ("org/name", commit, None)
    kept, said = of(tmp_path, arm), whole(prompts, tmp_path, arm)
    assert kept["model_args"]["pretrained"]["base"] == {"repository": "org/name", "commit": commit}
    # The hub has gone on since.
    (cached / "refs" / "main").write_text("f" * 40)
    assert of(tmp_path, arm) == kept and whole(prompts, tmp_path, arm) == said
    # By its place in a cache, of which the environment says nothing.
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "empty"))
    assert of(tmp_path, arm, base=str(snapshot)) == kept
    with pytest.raises(UserError, match=rf"its files are others than those of org/name at {commit}"):
        of(tmp_path, arm, base=str(checkpoint))


def test_adapters_of_others_load_with_the_tokens_that_they_bring(checkpoint, prompts, tmp_path):
    tokens = ["<new>", "<newer>"]
    arm = foreign_adapter(checkpoint, tmp_path / "arm", tokens=tokens, modules_to_save=["embed_tokens", "lm_head"])
    tokenizer = AutoTokenizer.from_pretrained(arm)
    from peft import PeftModel

    base = AutoModelForCausalLM.from_pretrained(checkpoint)
    base.resize_token_embeddings(len(tokenizer))
    expected = said_by(PeftModel.from_pretrained(base, arm).eval(), tokenizer, prompts, NEW_TOKENS)
    assert [text.strip() for text, _ in whole(prompts, tmp_path, arm)] == [text.strip() for text in expected]
    config = hf_config(arm, tmp_path)
    assert HFEngine(config).lm.model.get_input_embeddings().weight.shape[0] == len(tokenizer)
    kept = identity(config)
    (arm / "tokenizer_config.json").write_text("{}")
    assert identity(config) != kept


def test_an_adapter_of_a_head_with_more_rows_than_tokens_is_loaded_as_it_is(checkpoint, dataset, prompts, tmp_path):
    """Published bases are padded; lm-eval cuts them down to the tokenizer, and such an adapter fits no more."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    config.vocab_size, config.tie_word_embeddings = len(tokenizer) + 64, False
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    arm = trained_adapter(dataset, tmp_path / "base", tmp_path / "arm", "lora.targets=[q_proj,lm_head]")
    assert all(".lora_" in name for name in weights(arm))
    from peft import PeftModel

    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tmp_path / "base"), arm).eval()
    expected = said_by(plain, tokenizer, prompts, NEW_TOKENS)
    assert [text.strip() for text, _ in whole(prompts, tmp_path, arm)] == [text.strip() for text in expected]


def test_an_adapter_on_a_tied_head_changes_no_embeddings(checkpoint, prompts, tmp_path):
    base = AutoModelForCausalLM.from_pretrained(checkpoint)
    base.config.tie_word_embeddings = True
    base.tie_weights()
    base.save_pretrained(tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    tokenizer.save_pretrained(tmp_path / "base")
    arm = foreign_adapter(tmp_path / "base", tmp_path / "arm", target_modules=["lm_head"])
    from peft import PeftModel

    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tmp_path / "base"), arm).eval()
    expected = said_by(plain, tokenizer, prompts, NEW_TOKENS)
    assert [text.strip() for text, _ in whole(prompts, tmp_path, arm)] == [text.strip() for text in expected]


def test_coarser_weights_are_not_rounded_once_more(adapter, checkpoint, prompts, tmp_path):
    engine = HFEngine(hf_config(adapter, tmp_path, arguments={"dtype": "bfloat16"}))
    assert any("lora_" in name for name, _ in engine.lm.model.named_parameters())
    engine = HFEngine(hf_config(adapter, tmp_path))
    assert not any("lora_" in name for name, _ in engine.lm.model.named_parameters())


def test_an_adapter_of_another_shape_is_one_line(adapter, checkpoint, dataset, tmp_path):
    from maqa_severity.tests.training import gpt2_base

    arm = shutil.copytree(adapter, tmp_path / "arm")
    (arm / "training_base.json").unlink()
    config = json.loads((arm / "adapter_config.json").read_text())
    other = str(gpt2_base(tmp_path / "gpt2"))
    (arm / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": other}))
    with pytest.raises(UserError, match=rf"the model {arm} cannot be loaded"):
        answer(hf_config(arm, tmp_path / "store"), 2)


def test_a_checkpoint_of_before_is_whole_evaluated_and_not_trained_again(
    adapter, checkpoint, dataset, prompts, tmp_path
):
    """It holds the merged model and its tokenizer, the adapter in a folder beside, and knows no later settings."""
    from peft import PeftModel

    old = tmp_path / "old"
    PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(checkpoint), adapter
    ).merge_and_unload().save_pretrained(old)
    AutoTokenizer.from_pretrained(checkpoint).save_pretrained(old)
    (old / "adapter").mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(adapter / name, old / "adapter")
    training = json.loads((adapter / "training.json").read_text())
    del training["identity"]["config.save_dtype"], training["config"]["save_dtype"]
    del training["conditions"]["config.save_dtype"]
    (old / "training.json").write_text(json.dumps(training))
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    trained_adapter(dataset, checkpoint, old)
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before
    assert of(tmp_path, old)["model_args"]["pretrained"].keys() == {"files"}
    assert whole(prompts, tmp_path, old) == whole(prompts, tmp_path, adapter)
