"""Backends: what each declares is obeyed everywhere, and a new one is its file and one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.backends import BACKENDS, Backend, backend, floor_names
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.devices import existing_device
from maqa_severity.tests.extend_docs import extend
from maqa_severity.tests.generating import GREEDY, answer, hf_config
from maqa_severity.tests.scratch import scratch_copy
from maqa_severity.trainers.experiments.config import EvaluationPart
from pydantic import ValidationError

HF = {"pretrained": "m"}
SERVER = {"base_url": "http://127.0.0.1:1/v1/completions", "model": "m"}


def config(kind, arguments, **settings):
    return GenerationConfig(
        kind=kind, model_args=arguments, decoding=GREEDY, store=Path("s"), answer="نعم", **settings
    )


def test_every_backend_is_a_kind_and_the_floors_are_those_declared_so():
    assert [str(kind) for kind in Kind] == list(BACKENDS)
    assert (Kind.HF, Kind.COMPLETIONS) == ("hf", "local-completions")
    assert floor_names() == ("echo", "constant", "nearest") == tuple(map(str, EvaluationPart().floors))


@pytest.mark.parametrize(
    ("kind", "arguments", "known"),
    [
        ("hf", {**HF, "foo": 1}, "pretrained"),
        ("vllm", {**HF, "foo": 1}, "gpu_memory_utilization"),
        ("local-completions", {**SERVER, "foo": 1}, "base_url"),
        ("echo", {"foo": 1}, "It takes none"),
        ("constant", {"foo": 1}, "It takes none"),
        ("nearest", {"foo": 1}, "It takes none"),
    ],
)
def test_an_unknown_argument_is_refused_by_name_with_the_known_ones(kind, arguments, known):
    with pytest.raises(UserError, match=f"{kind} knows no model argument foo") as raised:
        config(kind, arguments)
    assert known in str(raised.value) and "\n" not in str(raised.value)


def test_a_slip_of_the_pen_is_told_what_was_meant():
    with pytest.raises(UserError, match=r"Did you mean pretrained=\?"):
        config("hf", {"pretraind": "m"})


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("hf", "dtype", "foo"),
        ("hf", "dtype", 16),
        ("vllm", "dtype", "float33"),
        ("hf", "max_length", "long"),
        ("hf", "max_length", 0),
        ("hf", "trust_remote_code", "maybe"),
        ("hf", "backend", "seq"),
        ("vllm", "tensor_parallel_size", 1.5),
        ("vllm", "truncation_side", "top"),
        ("local-completions", "seed", "x"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(kind, name, value):
    given = {**(SERVER if kind == "local-completions" else HF), name: value}
    with pytest.raises(UserError, match=f"{kind} cannot use {name}={value}. Give ."):
        config(kind, given)


def test_a_folder_called_by_a_number_is_a_text():
    assert config("hf", {"pretrained": 7, "revision": None}).model_args == {"pretrained": "7", "revision": None}


@pytest.mark.parametrize("device", ["foo", "cuda:7"])
def test_a_device_among_the_models_arguments_is_not_replaced_either(checkpoint, tmp_path, device):
    with pytest.raises(UserError, match=f"there is no device '{device}'"):
        answer(hf_config(checkpoint, tmp_path, arguments={"device": device}), 1)
    assert existing_device("cpu:0") == "cpu"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"model": "echo"}, "echo loads no checkpoint"),
        ({"model": "local-completions"}, "local-completions loads no checkpoint"),
        ({"floors": ["echo", "hf"]}, "hf is none of the floors"),
        ({"model_args": {"foo": 1}}, "hf knows no model argument foo"),
        ({"model_args": {"dtype": "foo"}}, "hf cannot use dtype=foo"),
    ],
)
def test_an_experiment_that_could_not_be_evaluated_is_refused_when_it_is_read(part, said):
    with pytest.raises(ValidationError, match=said):
        EvaluationPart(**part)


def test_two_backends_of_one_name_fail_with_both_places():
    with pytest.raises(
        ValueError, match=r"two backends are called 'hf': .*backends/hf.py:\d+ and .*test_generation"
    ):
        backend(Backend(name="hf", load=BACKENDS["hf"].load))


@pytest.mark.weekly
@pytest.mark.slow
def test_a_backend_is_added_by_its_file_and_one_line(tmp_path):
    extend(scratch_copy(tmp_path), "A backend")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"}

    def maqa(*words, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "maqa_severity", *map(str, words)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    assert "parrot" in maqa("evaluate", "--help")
    assert "a bird" in maqa("doctor")
    assert "local-chat-completions, echo, constant, nearest, parrot" in maqa(
        "evaluate", "--model", "parot", "--out", "x", code=2
    )
    common = ("--bertscore-model", "none", "--limit", 2)
    maqa("evaluate", "--model", "parrot", "--model-args", "word=7", "--out", tmp_path / "run", *common)
    maqa("evaluate", "--model", "echo", "--out", tmp_path / "echo", *common)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["model"]["identity"]["kind"] == manifest["model"]["kind"] == "parrot"
    assert manifest["model"]["identity"]["backend"].startswith("rich ") and manifest["versions"]["rich"]
    assert manifest["model"]["args"] == {"word": "7"}
    maqa("leaderboard", tmp_path / "run", tmp_path / "echo", "--out", tmp_path / "board", "--metric", "rouge1")
    rows = json.loads((tmp_path / "board" / "leaderboard.json").read_text(encoding="utf-8"))["rows"]
    assert {row["name"]: row["floor"] for row in rows} == {"parrot": True, "echo": True}
