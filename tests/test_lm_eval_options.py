"""lm-eval's own options on our tasks, by its own command, and what is read back of them."""

import json
import os
import shutil
import subprocess
import sys
from functools import partialmethod

import pytest
from maqa_severity.commands import compare, evaluate  # noqa: F401
from maqa_severity.commands.app import app
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.languages import language
from maqa_severity.harness.metrics.scoring import default_metrics
from maqa_severity.harness.runs.comparable import differences
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_run
from maqa_severity.leaderboards.board import build_board
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tests.extend_docs import extend
from maqa_severity.tests.scratch import scratch_copy
from typer.testing import CliRunner

TEMPLATE = "{% for turn in messages %}[{{ turn.role }}]{{ turn.content }}{% endfor %}[assistant]"


@pytest.fixture(scope="module")
def chatty(checkpoint, tmp_path_factory):
    """The tiny model with a chat template."""
    folder = shutil.copytree(checkpoint, tmp_path_factory.mktemp("chatty") / "chatty")
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def process(*options, cwd, **environment):
    kept = {"MAQA_BERTSCORE_MODEL": "none", "LMEVAL_LOG_LEVEL": "WARNING", **environment}
    return subprocess.run(
        [sys.executable, "-m", *map(str, options)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **kept},
        check=False,
    )


def arguments(model, out, *options, tasks=GROUP):
    """Of plain lm-eval's command."""
    given = [
        "run", "--model", "hf", "--model_args", f"pretrained={model},dtype=float32", "--device", "cpu",
        "--include_path", FOLDER, "--tasks", tasks, "--batch_size", "8", "--gen_kwargs", "max_gen_toks=8",
        "--output_path", out, "--log_samples", *options,
    ]  # fmt: skip
    return list(map(str, given))


def lm_eval(model, out, *options, **settings):
    """A run of lm-eval's own command in this process, which spares the index of 14,000 tasks of others."""
    from lm_eval.__main__ import cli_evaluate
    from lm_eval.tasks import TaskManager

    own = partialmethod(TaskManager.__init__, include_defaults=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TaskManager, "__init__", own)
        patch.setattr(sys, "argv", ["lm_eval", *arguments(model, out, *options, **settings)])
        patch.setattr(sys, "excepthook", sys.excepthook)
        patch.setenv("MAQA_BERTSCORE_MODEL", "none")
        cli_evaluate()
    return out


def samples(out, task):
    path = next(out.rglob(f"samples_{task}_*.jsonl"))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


@pytest.fixture(scope="module")
def plain(checkpoint, tmp_path_factory):
    """Two questions a severity, without anything."""
    return lm_eval(checkpoint, tmp_path_factory.mktemp("plain") / "plain", "--limit", "2")


def test_who_looks_for_the_groups_samples_finds_no_single_severity(plain):
    assert not list(plain.rglob(f"samples_{GROUP}_*"))
    assert len(list(plain.rglob("samples_*"))) == 3
    run = load_run(plain)
    assert run.answers["severity"].tolist() == ["critical"] * 2 + ["neutral"] * 2 + ["non_critical"] * 2


def test_a_name_of_before_still_asks_its_task(checkpoint, tmp_path):
    out = lm_eval(checkpoint, tmp_path / "out", "--limit", "1", tasks=f"{GROUP}_critical")
    assert [sample["doc"]["severity"] for sample in samples(out, "maqa_by_severity_critical")] == ["critical"]


def test_examples_instruction_and_template_are_asked_and_read_back_and_keep_runs_apart(chatty, plain, tmp_path):
    given = ["--num_fewshot", "2", "--apply_chat_template", "--system_instruction", "أنت طبيب"]
    out = lm_eval(chatty, tmp_path / "chat", "--limit", "2", *given)
    for sample in samples(out, "maqa_by_severity_neutral"):
        prompt = sample["arguments"]["gen_args_0"]["arg_0"]
        assert prompt.startswith("[system]أنت طبيب[user]") and prompt.endswith("[assistant]")
        assert prompt.count("[user]") == prompt.count("[assistant]") == 3
        assert sample["doc"]["question"] in prompt.rpartition("[user]")[2]
        assert sample["arguments"]["gen_args_0"]["arg_1"]["until"] == []
    run, other = load_run(out), load_run(plain)
    assert (run.asked.num_fewshot, run.asked.system_instruction) == (2, "أنت طبيب")
    assert run.asked.fewshot_as_multiturn and run.asked.chat_template and not other.asked.chat_template
    found = "; ".join(differences(other, run))
    for reason in ("prompt.num_fewshot: 0 and 2", "prompt.system_instruction", "prompt.chat_template"):
        assert reason in found
    rows = build_board([other, run], "rougeL").rows
    assert [row.rank for row in rows] == [1, None]
    assert any("num_fewshot" in reason for reason in rows[1].differs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (["--chat-template"], ["--apply_chat_template", "--fewshot_as_multiturn", "true"]),
        (
            ["--chat-template", "--no-fewshot-as-multiturn"],
            ["--apply_chat_template", "--fewshot_as_multiturn", "false"],
        ),
        ([], []),
    ],
)
@pytest.mark.slow
def test_the_same_options_of_maqa_evaluate_ask_the_same_prompts(chatty, tmp_path, ours, theirs):
    shared = ["--limit", "2"]
    given = ["--num_fewshot", "1", "--system_instruction", "أجب"]
    plain = load_run(lm_eval(chatty, tmp_path / "plain", *shared, *given, *theirs))
    given = ["--num-fewshot", "1", "--system-instruction", "أجب", "--max-new-tokens", "8", "--device", "cpu"]
    model = ["--model", "hf", "--model-args", f"pretrained={chatty},dtype=float32", "--bertscore-model", "none"]
    done = CliRunner().invoke(app, ["evaluate", *model, *shared, *given, *ours, "--out", str(tmp_path / "ours")])
    assert done.exit_code == 0, done.output
    run = load_run(tmp_path / "ours")
    assert plain.answers[["prompt", "prediction"]].equals(run.answers[["prompt", "prediction"]])
    assert plain.asked.conditions() == run.asked.conditions()
    assert differences(plain, run) == []
    assert run.manifest.prompt.prompting.num_fewshot == 1


def test_chosen_rows_are_read_back_and_named(checkpoint, plain, tmp_path):
    chosen = {f"maqa_by_severity_{severity}": [7, 3] for severity in ("critical", "neutral", "non_critical")}
    out = lm_eval(checkpoint, tmp_path / "out", "--samples", json.dumps(chosen))
    found = [(sample["doc_id"], sample["doc"]["id"]) for sample in samples(out, "maqa_by_severity_critical")]
    assert found == [(7, "critical-008"), (3, "critical-004")]
    run = load_run(out)
    assert run.asked.rows.startswith("chosen ones: 2 of 100 of maqa_by_severity_critical")
    assert any(each.startswith("rows asked: ") for each in differences(load_run(plain), run))


def test_predict_only_needs_no_encoder_and_is_scored_afterwards(checkpoint, tmp_path):
    out = lm_eval(checkpoint, tmp_path / "out", "--limit", "2", "--predict_only")
    with pytest.raises(UserError, match="answers without scores"):
        load_run(out)
    assert "rougeL" in rescore(out, lambda tongue: default_metrics(tongue, "none")).scores.metrics


def test_two_models_that_one_cache_answered_for_are_not_compared(checkpoint, chatty, tmp_path):
    for model in (checkpoint, chatty):
        lm_eval(model, tmp_path / model.name, "--limit", "1", "--use_cache", tmp_path / "cache")
    one, other = load_run(tmp_path / checkpoint.name), load_run(tmp_path / chatty.name)
    assert one.asked.cache == str(tmp_path / "cache")
    assert any("whose keys name no model" in each for each in differences(one, other))


@pytest.mark.slow
def test_data_without_training_rows_end_in_one_line(checkpoint, tmp_path):
    rows = [
        {"question": f"سؤال {severity}", "answer": "جواب", "severity": severity}
        for severity in ("critical", "neutral", "non_critical")
    ]
    dataset_from_rows({"test": rows}, tmp_path / "data", language=language("ar"), source="test")
    given = arguments(checkpoint, tmp_path / "out", "--num_fewshot", "1")
    done = process("lm_eval", *given, cwd=tmp_path, MAQA_DATA=str(tmp_path / "data"))
    assert done.returncode != 0 and "Traceback" not in done.stderr
    last = done.stderr.strip().split("\n")[-1]
    assert last.startswith("maqa: ") and "data has no training rows" in last and "--num_fewshot" in last
    given = ["--model", "echo", "--num-fewshot", "1", "--data", tmp_path / "data", "--out", tmp_path / "ours"]
    ours = process("maqa_severity", "evaluate", *given, cwd=tmp_path)
    assert ours.returncode == 2 and "has no training rows" in ours.stderr and ours.stderr.count("\n") == 1


@pytest.mark.weekly
@pytest.mark.slow
def test_a_second_family_is_its_folder_and_one_line(checkpoint, plain, tmp_path):
    package = scratch_copy(tmp_path)
    extend(package, "A task family")
    where = {"cwd": tmp_path, "PYTHONPATH": str(tmp_path)}
    assert process("maqa_severity.tasks.write", **where).stdout.count("/brief/") == 5
    given = [str(package / "tasks") if part == str(FOLDER) else part for part in arguments(
        checkpoint, tmp_path / "out", "--limit", "2", tasks="maqa_brief"
    )]  # fmt: skip
    done = process("lm_eval", *given, **where)
    assert done.returncode == 0, done.stderr[-3000:]
    found = samples(tmp_path / "out", "brief_critical")
    assert all(sample["arguments"]["gen_args_0"]["arg_0"].startswith("In short: ") for sample in found)
    # In the table of the tasks and in that of the groups.
    assert done.stdout.count("maqa_brief") == 2 and "rougeL" in done.stdout.rpartition("maqa_brief")[2]
    board = ["leaderboard", tmp_path / "out", plain, "--metric", "rougeL", "--out", tmp_path / "board"]
    for each in (board, ["report", tmp_path / "out", "--metric", "rougeL", "--out", tmp_path / "report.html"]):
        done = process("maqa_severity", *each, **where)
        assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "board" / "leaderboard.json").read_text())["rows"]
    assert [row["rank"] for row in rows] == [1, None] and any(
        "the prompt of" in each for each in rows[1]["differs"]
    )
