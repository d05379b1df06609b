"""A GGUF file becomes a folder with the same weights, whose tokenizer begins texts as the model was trained."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from maqa_severity.commands import doctor as _another  # noqa: F401
from maqa_severity.commands import fetch as _command  # noqa: F401
from maqa_severity.commands.app import app
from maqa_severity.fetching.fetch import convert
from maqa_severity.fetching.gguf_files import read_header
from maqa_severity.fetching.origin import ORIGIN
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.packing import sha256, write_gguf
from maqa_severity.tests.training import weights
from typer.testing import CliRunner


def converted(path, out, start_token=None):
    return convert(path, out, start_token, lambda *_: None)[0]


def tokenizer_of(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("quantised", [Kind.Q8_0, Kind.Q4_0, Kind.F32])
def test_a_gemma_holds_every_weight_as_an_independent_reader_has_it(quantised, tmp_path):
    from transformers import AutoModelForCausalLM

    held = write_gguf(tmp_path / "tiny.gguf", quantised=quantised)
    converted(tmp_path / "tiny.gguf", tmp_path / "tiny")
    model, report = AutoModelForCausalLM.from_pretrained(tmp_path / "tiny", output_loading_info=True)
    assert type(model).__name__ == "Gemma3ForCausalLM" and not any(map(len, report.values()))
    assert "quantization_config" not in json.loads((tmp_path / "tiny" / "config.json").read_text())
    state = {name: each.numpy() for name, each in weights(tmp_path / "tiny").items()}
    names = {"token_embd": "embed_tokens", "blk.1.attn_q": "layers.1.self_attn.q_proj"}
    names |= {"blk.0.ffn_down": "layers.0.mlp.down_proj", "blk.1.attn_output": "layers.1.self_attn.o_proj"}
    for packed, name in names.items():
        np.testing.assert_array_equal(state[f"model.{name}.weight"], held[packed], err_msg=name)
    # llama.cpp keeps Gemma's norms with the 1 that its layers add.
    norms = {"output_norm": "norm", "blk.0.attn_q_norm": "layers.0.self_attn.q_norm"}
    norms["blk.1.post_ffw_norm"] = "layers.1.post_feedforward_layernorm"
    for packed, name in norms.items():
        np.testing.assert_allclose(state[f"model.{name}.weight"], held[packed] - 1, atol=1e-7, err_msg=name)
    assert sum(each.size for each in state.values()) == sum(each.size for each in held.values())


@pytest.mark.parametrize("kind", ["gemma3", "llama"])
@pytest.mark.parametrize("says", [True, None])
def test_a_tokenizer_that_forgets_the_start_token_is_repaired(kind, says, tmp_path):
    from transformers import AutoTokenizer

    (tmp_path / "alone").mkdir()
    write_gguf(tmp_path / "alone" / "tiny.gguf", kind, add_bos=says)
    start = {"gemma3": "<bos>", "llama": "<s>"}[kind]
    read = AutoTokenizer.from_pretrained(tmp_path / "alone", gguf_file="tiny.gguf")
    assert start not in read("ab").tokens()
    origin = converted(tmp_path / "alone" / "tiny.gguf", tmp_path / "tiny")
    assert origin.start_token == start and origin.packed.sha256 == sha256(tmp_path / "alone" / "tiny.gguf")
    tokenizer = tokenizer_of(tmp_path / "tiny")
    assert tokenizer("ab").tokens() == [start, *read("ab").tokens()]
    assert tokenizer("ab", "a").tokens().count(start) == 2
    said = json.loads((tmp_path / "tiny" / "tokenizer_config.json").read_text())
    assert said.pop("add_bos_token") is True and list(said) == sorted(said)


def test_a_llama_whose_start_token_begins_no_text_is_left_as_it_is(tmp_path):
    """As SmolLM and Yi are."""
    write_gguf(tmp_path / "tiny.gguf", "llama", add_bos=None, bos="<|startoftext|>")
    assert converted(tmp_path / "tiny.gguf", tmp_path / "tiny").start_token is None
    assert "<|startoftext|>" not in tokenizer_of(tmp_path / "tiny")("ab").tokens()


def test_a_file_that_denies_its_start_token_is_refused_until_the_user_decides(tmp_path):
    path = tmp_path / "tiny.gguf"
    write_gguf(path, add_bos=False)
    with pytest.raises(
        UserError, match=r"says that no <bos> stands before a text, .* Give --start-token to add it"
    ):
        converted(path, tmp_path / "tiny")
    assert [each.name for each in tmp_path.iterdir()] == ["tiny.gguf"]
    for option, expected in (("--start-token", True), ("--no-start-token", False)):
        out = tmp_path / option
        done = CliRunner().invoke(app, ["fetch", str(path), "--out", str(out), option])
        assert done.exit_code == 0 and ("forgot to begin texts with <bos>" in done.output) is expected
        assert (tokenizer_of(out)("ab").tokens()[0] == "<bos>") is expected
        assert json.loads((out / "tokenizer_config.json").read_text())["add_bos_token"] is expected


def test_the_users_own_file_has_no_licence_but_an_origin(tmp_path):
    write_gguf(tmp_path / "tiny.gguf", more={"rope.scaling.factor": 8.0})
    (tmp_path / "tokenizer_config.json").write_text('{"bos_token": "a trap: not of this file"}')
    command = ["fetch", str(tmp_path / "tiny.gguf"), "--out", str(tmp_path / "tiny")]
    said = CliRunner().invoke(app, command).output
    assert "Licence" not in said and sha256(tmp_path / "tiny.gguf") in said
    assert "not read by transformers: gemma3.rope.scaling.factor" in said
    origin = json.loads((tmp_path / "tiny" / ORIGIN).read_text())
    assert (origin["name"], origin["licence"], origin["wheels"]) == (None, None, [])
    assert origin["not_taken_over"] == ["gemma3.rope.scaling.factor"]
    assert origin["files"].keys() == {each.name for each in (tmp_path / "tiny").iterdir()} - {ORIGIN}
    assert "Already whole" in CliRunner().invoke(app, command).output


@pytest.mark.parametrize("name", ["rwkv7", "bert", "t5", "t5encoder"])
def test_another_architecture_is_refused_by_name(name, tmp_path):
    write_gguf(tmp_path / "tiny.gguf", architecture=name)
    with pytest.raises(
        UserError, match=rf"architecture {name}, of which transformers reads no causal .* of: .*gemma3"
    ):
        converted(tmp_path / "tiny.gguf", tmp_path / "tiny")


def test_another_quantisation_is_refused_by_name(tmp_path):
    from gguf import GGUFWriter

    writer = GGUFWriter(tmp_path / "tiny.gguf", "gemma3")
    writer.add_tensor("token_embd.weight", np.zeros((4, 32), np.int32))
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file):
        write()
    writer.close()
    with pytest.raises(
        UserError, match=r"weights of the type I32, which cannot be dequantised\. Take the same model"
    ):
        read_header(tmp_path / "tiny.gguf")


def test_a_damaged_file_is_one_line(tmp_path):
    write_gguf(tmp_path / "whole.gguf")
    content = (tmp_path / "whole.gguf").read_bytes()
    pieces = [b"", b"GGUF", b"no model", content[:100], content[: len(content) // 2], content[:-100]]
    for number, piece in enumerate(pieces):
        path = tmp_path / f"{number}.gguf"
        path.write_bytes(piece)
        with pytest.raises(
            UserError, match=rf"{number}\.gguf cannot be read as GGUF: .+ Download it again"
        ) as told:
            converted(path, tmp_path / "tiny")
        assert "\n" not in str(told.value) and not (tmp_path / "tiny").exists()


def test_a_file_that_lacks_weights_is_refused(tmp_path):
    write_gguf(tmp_path / "tiny.gguf", leave_out="blk.1.attn_q")
    with pytest.raises(UserError, match=r"gemma3 file lacks the weights model\.layers\.1\.self_attn\.q_proj"):
        converted(tmp_path / "tiny.gguf", tmp_path / "tiny")


FULL = """
import resource, sys
from pathlib import Path
import torch, transformers, gguf
from maqa_severity.fetching.fetch import convert
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
convert(Path(sys.argv[1]), Path(sys.argv[1]).with_suffix(""), None, lambda *_: None)
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit", [100_000, 20_000, 500])
def test_a_disk_that_fills_up_while_a_library_writes_is_one_line_and_leaves_nothing(limit, tmp_path):
    """Weights, tokenizer and configuration are written by other libraries, each with errors of its own."""
    write_gguf(tmp_path / "tiny.gguf")
    command = [sys.executable, "-c", FULL, str(tmp_path / "tiny.gguf"), str(limit)]
    said = subprocess.run(command, capture_output=True, text=True).stderr.splitlines()[-1]
    assert "UserError: cannot write" in said and "File too large. Make room" in said
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.gguf"]


def test_without_gguf_the_remedy_is_one_line(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "gguf" else found(name))
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    for what in (str(tmp_path / "tiny.gguf"), "gemma-3-270m"):
        with pytest.raises(
            UserError, match=r"needs the package gguf\. Install it: pip install \"maqa-severity\[fetch\]\""
        ):
            CliRunner().invoke(app, ["fetch", what, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert not (tmp_path / "out").exists()
