"""A model that was trained with a start token is not trained or asked without one unnoticed; others are let be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from maqa_severity.fetching.fetch import convert
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.config import GenerationConfig
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.records import Prompt
from maqa_severity.harness.generation.start_token import STARTS, forgotten_start, keep_last, set_start, starts
from maqa_severity.tests.packing import write_gguf
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import SETTINGS, gpt2_base, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.base_check import base_problems
from maqa_severity.trainers.lm.bases import load_tokenizer
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.train import train_lm
from transformers import AutoTokenizer

FORGETS = r"puts no <bos> before a text, and its model was trained with one: it would write nothing of use"


@pytest.fixture(scope="module")
def gemma(tmp_path_factory) -> Path:
    """A Gemma as transformers saves it that was read from a GGUF file: whole, but for the start token."""
    root = tmp_path_factory.mktemp("gemma")
    write_gguf(root / "tiny.gguf")
    convert(root / "tiny.gguf", root / "tiny", False, lambda *_: None)
    path = root / "tiny" / "tokenizer_config.json"
    said = json.loads(path.read_text())
    assert said.pop("add_bos_token") is False
    path.write_text(json.dumps(said))
    return root / "tiny"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


def declared(folder: Path, out: Path, value: bool | None) -> Path:
    """A copy of a base whose ``tokenizer_config.json`` says so."""
    shutil.copytree(folder, out)
    path = out / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "add_bos_token": value}))
    return out


def engine(folder: Path, **arguments) -> HFEngine:
    config = GenerationConfig(
        kind="hf",
        model_args={"pretrained": str(folder), **arguments},
        decoding=decoding("greedy", ARABIC, max_new_tokens=3),
        device="cpu",
        store=folder / "answers",
    )
    return HFEngine(config)


def asked(text: str) -> Prompt:
    return Prompt(text, text, 0, "1", "critical", text)


def test_no_model_that_never_saw_a_start_token_is_refused(checkpoint, tmp_path):
    """GPT-2 and AraGPT2 (one token for start and end), Qwen (a start token by name that begins nothing), BLOOM."""
    qwen = AutoTokenizer.from_pretrained(checkpoint)
    assert qwen.bos_token and not starts(qwen)
    gpt2 = AutoTokenizer.from_pretrained(gpt2_base(tmp_path / "gpt2"))
    gpt2.bos_token = gpt2.eos_token
    for tokenizer in (qwen, gpt2):
        for kind in ("qwen2", "qwen3", "gpt2", "bloom", "falcon", "gpt_neox", "phi3", "opt", None):
            assert forgotten_start(tokenizer, kind) is None
    # One token for both ends begins nothing, even where a family with a start token is named.
    said = AutoTokenizer.from_pretrained(declared(tmp_path / "gpt2", tmp_path / "said", True))
    said.bos_token = said.eos_token
    assert forgotten_start(said, "gpt2") is None
    # SmolLM and Yi are llamas whose token has another name.
    assert forgotten_start(qwen, "llama") is None
    assert not {"gpt2", "qwen2", "qwen3", "bloom", "falcon", "phi3"} & STARTS.keys()


def test_what_the_table_and_the_folder_say_decides(gemma, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(gemma)
    for kind in ("gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma4_text"):
        assert forgotten_start(tokenizer, kind) == "<bos>"
    assert forgotten_start(tokenizer, "unheard of") is forgotten_start(tokenizer, "llama") is None
    yes = AutoTokenizer.from_pretrained(declared(gemma, tmp_path / "yes", True))
    # transformers ignores this key beside a tokenizer.json.
    assert not starts(yes) and forgotten_start(yes, "unheard of") == "<bos>"
    no = AutoTokenizer.from_pretrained(declared(gemma, tmp_path / "no", False))
    assert forgotten_start(no, "gemma3_text") is None
    set_start(tokenizer, True)
    assert starts(tokenizer) and forgotten_start(tokenizer, "gemma3_text") is None


def test_a_tokenizer_without_start_token_cannot_be_given_one(tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(gpt2_base(tmp_path / "gpt2"))
    tokenizer.bos_token = None
    with pytest.raises(UserError, match="cannot be made to begin texts with a start token"):
        set_start(tokenizer, True)


def test_training_refuses_a_base_whose_tokenizer_forgets_it(gemma, dataset, tmp_path):
    told = FORGETS + r"\. Add the token with --set add_bos_token=true; --set add_bos_token=false does without"
    with pytest.raises(UserError, match=told) as caught:
        train_lm(dataset, str(gemma), ArmSpec.of("ce"), load_config(settings=SETTINGS), tmp_path / "out")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()
    problems = base_problems(str(gemma), None, load_config(settings=SETTINGS), new_tokens=8)
    assert len(problems) == 1 and f"the tokenizer of base {gemma} puts no <bos>" in str(problems[0])


@pytest.mark.parametrize("arm", ["ce", "base"])
@pytest.mark.parametrize("add", [True, False])
def test_what_the_user_decides_holds_in_training_and_in_its_checkpoint(arm, add, gemma, dataset, tmp_path):
    config = load_config(settings=[*SETTINGS, "rows=4", f"add_bos_token={str(add).lower()}"])
    assert not base_problems(str(gemma), None, config, new_tokens=8)
    assert starts(load_tokenizer(str(gemma), None, None, add_bos_token=add)) is add
    out = tmp_path / "out"
    manifest = train_lm(dataset, str(gemma), ArmSpec.of(arm), config, out)
    assert manifest.config["add_bos_token"] is manifest.identity["config.add_bos_token"] is add
    if arm == "base":
        assert engine(out).lengths([asked("ab")]) == engine(gemma, add_bos_token=add).lengths([asked("ab")])
    else:
        tokenizer = AutoTokenizer.from_pretrained(out)
        assert starts(tokenizer) is add and forgotten_start(tokenizer, "gemma3_text") is None
    assert engine(out).lengths([asked("ab")])
    # The base's folder is as it was.
    assert not starts(AutoTokenizer.from_pretrained(gemma))


def test_a_model_is_not_asked_without_it(gemma):
    told = FORGETS + r"\. Add the token with --model-args add_bos_token=true; --model-args add_bos_token=false"
    with pytest.raises(UserError, match=told):
        engine(gemma).lengths([asked("ab")])
    # A chat template may bring it.
    assert engine(gemma).lengths([asked("<bos>ab")])
    without, added = (engine(gemma, add_bos_token=add).lengths([asked("ab")])[0] for add in (False, True))
    assert added == without + 1


def test_a_prompt_that_is_too_long_keeps_it_in_training_and_in_answering(gemma):
    from maqa_severity.trainers.lm.encoding import encode

    assert [keep_last([2, 7, 8, 9], room, 2) for room in (4, 3, 2, 1)] == [[2, 7, 8, 9], [2, 8, 9], [2, 9], [9]]
    assert keep_last([7, 8, 9], 2, 2) == keep_last([7, 8, 9], 2, None) == [8, 9]
    asks = engine(gemma, add_bos_token=True)
    tokenizer, text = load_tokenizer(str(gemma), None, None, add_bos_token=True), "ab cd " * 400
    (ids,) = asks._encode([asked(text)])
    assert len(ids) == asks._room and ids[0] == 2 and ids[1:] == tokenizer(text)["input_ids"][1 - asks._room :]
    trained = encode(tokenizer, [text, "ab"], ["c", "c"], 64)
    whole = tokenizer(text)["input_ids"]
    assert trained.prompts_cut.tolist() == [len(whole) - trained.prompts[0], 0]
    assert trained.ids(0)[: trained.prompts[0]].tolist() == [2, *whole[1 - trained.prompts[0] :]]
    assert trained.ids(1)[0] == 2 and len(trained.ids(0)) == 64


def test_evaluate_says_it_in_one_line_and_exits_2(gemma, dataset, tmp_path, capsys):
    from maqa_severity.tests.test_files_document import maqa

    command = ["evaluate", "--model", "hf", "--device", "cpu", "--data", dataset.folder, "--limit", 1]
    command += ["--bertscore-model", "none", "--max-new-tokens", 2, "--out", tmp_path / "run"]
    with pytest.raises(AssertionError):
        maqa(*command, "--model-args", f"pretrained={gemma}")
    lines = [line for line in capsys.readouterr().err.splitlines() if "<bos>" in line]
    assert len(lines) == 1 and lines[0].startswith(f"maqa: the tokenizer of {gemma} puts no <bos> before a text")
    maqa(*command, "--model-args", f"pretrained={gemma},add_bos_token=true")
    assert (tmp_path / "run" / "scores.parquet").exists()


def test_an_experiment_finds_it_before_its_first_training(gemma, dataset, tmp_path):
    from maqa_severity.experiment import run_experiment
    from maqa_severity.tests.test_preflight import experiment, model
    from maqa_severity.trainers.experiments.config import load_experiment
    from rich.console import Console

    path = experiment(
        tmp_path, dataset.folder, [model("tiny gemma", gemma), model("repaired", gemma, add_bos_token=True)]
    )
    with pytest.raises(UserError, match=FORGETS) as told:
        run_experiment(load_experiment(path), tmp_path / "out", Console(quiet=True))
    assert "tiny gemma: the tokenizer of base" in str(told.value) and "repaired:" not in str(told.value)
    assert not (tmp_path / "out").exists()
