"""What a run folder belongs to: the rows that were asked, and nothing that failed before the first answer."""

import json
import sys

import pytest
from maqa_severity.cli import main
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.runs.run import load_run
from maqa_severity.tests.tongues import ARABIC

SEVERITIES = ("critical", "neutral", "non_critical")


@pytest.fixture
def evaluate(monkeypatch, tmp_path):
    """A function that runs `maqa evaluate --model echo` into one folder and returns the exit status."""

    def run(*arguments: object) -> int:
        command = ["maqa", "evaluate", "--model", "echo", "--out", tmp_path / "run", "--bertscore-model", "none"]
        monkeypatch.setattr(sys, "argv", list(map(str, [*command, *arguments])))
        try:
            main()
        except SystemExit as stopped:
            return int(stopped.code or 0)
        return 0

    return run


def dataset(folder, severities=SEVERITIES, overwrite=False):
    """Three questions, whose answers are the questions."""
    rows = [
        {"question": f"سؤال رقم {number}", "answer": f"سؤال رقم {number}", "severity": severity}
        for number, severity in enumerate(severities)
    ]
    dataset_from_rows({"test": rows}, folder, language=ARABIC, source="three.csv", overwrite=overwrite)
    return folder


def test_a_command_that_failed_before_the_first_answer_leaves_nothing_and_can_be_corrected(evaluate, tmp_path):
    assert evaluate("--data", tmp_path / "typo") == 2
    assert not (tmp_path / "run").exists()
    data = dataset(tmp_path / "data")
    assert evaluate("--data", data, "--bertscore-model", tmp_path / "no-encoder") == 2
    assert not (tmp_path / "run").exists()
    assert evaluate("--data", data) == 0


def test_a_failure_leaves_the_files_of_others_alone(evaluate, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    assert evaluate("--data", tmp_path / "typo") == 2
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_a_run_is_never_read_as_the_answers_to_rows_that_changed_since(evaluate, tmp_path, capsys):
    data = dataset(tmp_path / "data")
    assert evaluate("--data", data) == 0
    assert evaluate("--data", data) == 0
    dataset(data, SEVERITIES[::-1], overwrite=True)
    capsys.readouterr()
    assert evaluate("--data", data) == 2
    assert "holds another run" in capsys.readouterr().err


def test_a_folder_claimed_before_the_rows_were_noted_goes_on(evaluate, tmp_path):
    data = dataset(tmp_path / "data")
    assert evaluate("--data", data) == 0
    path = tmp_path / "run" / "request.json"
    request = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in request.items() if key != "data_sha256"}))
    assert evaluate("--data", data) == 0


def test_the_manifest_names_the_data_of_the_environment(evaluate, tmp_path, monkeypatch):
    monkeypatch.setenv("MAQA_DATA", str(dataset(tmp_path / "data")))
    assert evaluate() == 0
    manifest = load_run(tmp_path / "run").manifest
    assert manifest.data.source == "three.csv"
    monkeypatch.delenv("MAQA_DATA")
    assert evaluate() == 2


def test_outside_a_git_repository_nothing_complains(evaluate, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert evaluate("--data", dataset(tmp_path / "data")) == 0
    assert "git" not in capfd.readouterr().err
