"""Runs: what `maqa evaluate` writes, what plain lm-eval writes, and what is refused."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.evaluation.evaluate import evaluate
from maqa_severity.harness.evaluation.options import EvaluationOptions
from maqa_severity.harness.generation.config import GenerationConfig
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.metrics.scoring import default_metrics, run_metrics
from maqa_severity.harness.runs.answers import fingerprint
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.scores.table import ScoreTable, read_scores, write_scores
from maqa_severity.reports.page import report_page
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tests.sealing import resealed
from maqa_severity.tests.tongues import ARABIC


def plain_lm_eval(checkpoint, encoder, out):
    """The literal command of lm-eval's users, in a process of its own."""
    settings = {
        "--model": "hf",
        "--model_args": f"pretrained={checkpoint},dtype=float32",
        "--device": "cpu",
        "--include_path": str(FOLDER),
        "--tasks": GROUP,
        "--limit": "8",
        "--batch_size": "8",
        "--gen_kwargs": "max_gen_toks=16",
        "--output_path": str(out),
        "--metadata": f"bertscore_model={encoder}",
    }
    options = [part for setting in settings.items() for part in setting]
    command = [sys.executable, "-m", "lm_eval", "run", *options, "--log_samples"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=out.parent, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_run_has_lm_evals_files_a_manifest_and_scores_for_every_severity(evaluated):
    run = load_run(evaluated["hf"])
    assert run.manifest and run.manifest.model.kind == "hf"
    assert run.answers["severity"].value_counts().to_dict() == {"critical": 8, "neutral": 8, "non_critical": 8}
    results = json.loads((run.path / run.manifest.results).read_text())
    for severity in ("critical", "neutral", "non_critical"):
        row = results["results"][f"maqa_by_severity_{severity}"]
        own = run.scores.frame[run.scores.frame["severity"] == severity]["bertscore_f1"]
        assert row["bertscore_f1,none"] == pytest.approx(own.mean())
        assert row["bertscore_f1_stderr,none"] == pytest.approx(own.std(ddof=1) / 8**0.5)
    group = results["groups"][GROUP]["bertscore_f1,none"]
    assert group == pytest.approx(run.scores.frame["bertscore_f1"].mean())


@pytest.mark.slow
def test_a_plain_lm_eval_folder_is_a_run_with_the_same_answers_and_scores(evaluated, checkpoint, encoder, tmp_path):
    printed = plain_lm_eval(checkpoint, encoder, tmp_path / "plain")
    for row in ("maqa_severity", "critical", "neutral", "non_critical", "bertscore_f1"):
        assert row in printed
    plain, ours = load_run(tmp_path / "plain"), load_run(evaluated["hf"])
    assert plain.manifest is None
    assert plain.scores.signatures.items() <= ours.scores.signatures.items()
    pd.testing.assert_frame_equal(plain.answers, ours.answers)
    shared = list(plain.scores.frame.columns)
    pd.testing.assert_frame_equal(plain.scores.frame, ours.scores.frame[shared], rtol=1e-6)
    assert fingerprint(plain.answers) == ours.manifest.data.fingerprint


def test_the_same_command_again_reads_the_run_and_another_one_is_refused(evaluated, encoder):
    folder = evaluated["echo"]
    config = GenerationConfig(
        kind="echo", decoding=decoding("greedy", ARABIC, max_new_tokens=16), device="cpu", store=folder / "answers"
    )
    options = EvaluationOptions(out=folder, bertscore_model=str(encoder), limit=8)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.is_file()}
    evaluate(config, options, FOLDER, GROUP)
    assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.is_file()}
    with pytest.raises(UserError, match="holds another run"):
        evaluate(config, options.model_copy(update={"limit": 9}), FOLDER, GROUP)


def test_rescoring_with_the_same_metrics_changes_no_score(evaluated, encoder, tmp_path):
    folder = shutil.copytree(evaluated["hf"], tmp_path / "run")
    before = load_run(folder).scores
    after = rescore(folder, lambda language: run_metrics(language, str(encoder))).scores
    assert before.signatures == after.signatures
    pd.testing.assert_frame_equal(before.frame, after.frame, rtol=1e-6)
    without = rescore(folder, lambda language: default_metrics(language, "none"))
    assert "bertscore_f1" not in without.scores.metrics
    assert load_run(folder).scores.metrics == without.scores.metrics


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "manifest.json").write_text("{"), "manifest.json line 1 is not JSON"),
        (lambda run: (run / "manifest.json").write_text('{"format_version": 99}'), "newer format 99"),
        (lambda run: (run / "scores.parquet").unlink(), "scores.parquet does not exist"),
        (lambda run: (run / "scores.parquet").write_bytes(b"no"), "scores.parquet is not a readable parquet"),
        (lambda run: next(run.glob("samples_*critical*")).unlink(), "does not exist"),
    ],
)
def test_a_damaged_run_is_named_with_its_file(evaluated, tmp_path, damage, message):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    damage(folder)
    with pytest.raises(UserError, match=message):
        load_run(folder)


def rewritten(run, change):
    """The run folder with other scores."""
    scores = read_scores(run / "scores.parquet")
    write_scores(run / "scores.parquet", ScoreTable(change(scores.frame), scores.signatures))


def annotated(run, note):
    """The run folder with another note in the metadata of its scores."""
    table = pq.read_table(run / "scores.parquet")
    pq.write_table(table.replace_schema_metadata({b"maqa_severity": note}), run / "scores.parquet")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(rougeL=float("nan")), "rougeL was not scored in 24 answers"),
        (lambda frame: frame.assign(rougeL=float("inf")), "rougeL is infinite in 24 answers"),
        (lambda frame: frame.assign(rougeL=100.5), "rougeL lies outside 0 to 100 in 24 answers"),
        (lambda frame: frame.assign(rougeL=-0.5), "rougeL lies outside 0 to 100 in 24 answers"),
        (lambda frame: frame.assign(rougeL="50"), "rougeL holds no numbers"),
        (lambda frame: frame.assign(degenerate=1.0), "degenerate is a rate but neither 0 nor 100"),
        (lambda frame: frame.assign(severity=frame["severity"][::-1].to_list()), "does not hold the rows"),
        (lambda frame: frame[::-1], "does not hold the rows"),
        (lambda frame: frame.drop(columns="id"), "has no column 'id'"),
        (lambda frame: frame.drop(columns="severity"), "has no column 'severity'"),
        (lambda frame: frame.rename(columns={"rougeL": "meteor"}), "no signature for meteor"),
    ],
)
def test_damaged_scores_are_refused_with_their_file(evaluated, tmp_path, change, message):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    rewritten(folder, change)
    with pytest.raises(UserError, match=f"{folder / 'scores.parquet'}.*{message}"):
        load_run(folder)


@pytest.mark.parametrize(
    "note", [b"{", b"[]", b"{}", b"\xff", b'{"format_version": 1, "signatures": {"rougeL": 1}}']
)
def test_a_note_that_cannot_be_read_is_refused_with_its_file(evaluated, tmp_path, note):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    annotated(folder, note)
    with pytest.raises(UserError, match=f"{folder / 'scores.parquet'}.*maqa rescore"):
        load_run(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("filtered_resps", [None]),
        ("filtered_resps", [["x"]]),
        ("rougeL", "much"),
        ("doc", {"severity": "purple"}),
        ("doc", {"category": None}),
    ],
)
def test_a_sample_of_another_kind_is_named_with_its_line(evaluated, tmp_path, key, value):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    path = next(folder.glob("samples_*neutral*"))
    lines = path.read_text(encoding="utf-8").split("\n")
    sample = json.loads(lines[2])
    sample[key] = {**sample[key], **value} if isinstance(value, dict) else value
    path.write_text("\n".join([*lines[:2], json.dumps(sample), *lines[3:]]), encoding="utf-8")
    with pytest.raises(UserError, match=rf"{path.name} line 3 is not a sample"):
        load_run(folder)


def test_files_that_are_no_utf_8_or_no_results_are_named(evaluated, tmp_path):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    path = next(folder.glob("samples_*neutral*"))
    path.write_bytes(path.read_bytes()[:-4] + b"\xff\n")
    with pytest.raises(UserError, match=rf"{path.name} is not UTF-8"):
        load_run(folder)
    (tmp_path / "results_x.json").write_text("[1]")
    with pytest.raises(UserError, match=r"results_x\.json holds no results"):
        load_run(tmp_path / "results_x.json")


def test_half_a_character_in_an_answer_becomes_a_question_mark_since_no_file_can_store_it(evaluated, tmp_path):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    path = next(folder.glob("samples_*severity_critical*"))
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    sample = json.loads(first)
    sample["filtered_resps"] = ["نعم \ud83d"]
    path.write_text(json.dumps(sample) + "\n" + rest, encoding="utf-8")
    run = load_run(resealed(folder))
    assert run.answers["prediction"][0] == "نعم ?"
    assert "نعم ?" in report_page(run, metric="rougeL")


def test_a_name_cannot_steer_the_terminal_or_the_page(evaluated, tmp_path):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["name"] = "a\x1b[31m\r\n\u202eb\ud83d نموذج"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert load_run(resealed(folder)).name == "a\ufffd[31m\ufffd\ufffd\ufffdb\ufffd نموذج"


def test_a_torn_samples_line_is_named_with_its_number(evaluated, tmp_path):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    path = next(folder.glob("samples_*neutral*"))
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([*lines[:3], lines[3][:50], *lines[4:]]), encoding="utf-8")
    with pytest.raises(UserError, match=rf"{path.name} line 4 is not a sample"):
        load_run(folder)


def test_folders_without_a_run_or_with_several_say_so(evaluated, tmp_path):
    with pytest.raises(UserError, match="holds no results"):
        load_run(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"results_{name}.json").write_text("{}")
    with pytest.raises(UserError, match="holds 2 results"):
        load_run(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        load_run(tmp_path / "nowhere")


def test_an_answer_with_a_line_separator_inside_survives(evaluated, tmp_path):
    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    path = next(folder.glob("samples_*critical*"))
    text = path.read_text(encoding="utf-8")
    first = json.loads(text.split("\n")[0])
    first["filtered_resps"] = ["سطر\u2028آخر\x85"]
    path.write_text("\n".join([json.dumps(first, ensure_ascii=False), *text.split("\n")[1:]]), encoding="utf-8")
    assert "سطر\u2028آخر\x85" in load_run(resealed(folder)).answers["prediction"].tolist()
