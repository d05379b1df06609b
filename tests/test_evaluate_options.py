"""Options of `maqa evaluate` that make no sense are one line, and nothing is written."""

import importlib
import pkgutil

import pytest
from maqa_severity import commands
from maqa_severity.commands.app import app
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.devices import existing_device
from typer.testing import CliRunner

HUGE = str(10**30)


@pytest.fixture(scope="module")
def run():
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")
    return lambda *arguments: CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


@pytest.mark.parametrize(
    "given",
    [
        ("--limit", HUGE), ("--limit", 2**63), ("--limit", -1), ("--seed", -1), ("--seed", HUGE),
        ("--samples", HUGE, "--decoding", "paper"), ("--max-new-tokens", HUGE), ("--batch-size", HUGE),
        ("--batch-size", "-1"), ("--batch-size", "foo"), ("--workers", HUGE), ("--bertscore-layer", HUGE),
        ("--shard", "1/0"), ("--decoding", "best"), ("--model-args", '{"a": hush'),
        ("--until", ""), ("--until", "none", "--until", "x"), ("--model-args", "a=hush,hush"),
    ],
)  # fmt: skip
def test_an_option_out_of_its_range_is_refused_before_anything_is_written(run, tmp_path, given):
    done = run("--model", "echo", "--bertscore-model", "none", "--out", tmp_path / "run", *given)
    if isinstance(done.exception, UserError):
        said = str(done.exception)
        assert "\n" not in said and "hush" not in said
    else:
        assert done.exit_code == 2 and "Invalid value" in done.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("device", ["foo", "cuda:99", "cpu:x", "meta:0", ""])
def test_a_device_that_is_not_there_is_not_replaced_by_another(run, checkpoint, tmp_path, device):
    with pytest.raises(UserError, match=r"there is no device .* Use --device cpu"):
        existing_device(device)
    if device:
        done = run(
            "--model", "hf", "--model-args", f"pretrained={checkpoint}", "--bertscore-model", "none",
            "--limit", 1, "--device", device, "--out", tmp_path / "run",
        )  # fmt: skip
        assert isinstance(done.exception, UserError) and f"there is no device '{device}'" in str(done.exception)
        assert not (tmp_path / "run" / "request.json").exists()


def test_the_arguments_of_a_model_may_be_json(run, tmp_path):
    given = ("--model", "echo", "--model-args", "{}", "--bertscore-model", "none", "--limit", 1)
    done = run(*given, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.exception
