"""What commands print in Arabic: no sentence stays English."""

import re

import pytest
from maqa_severity.commands.app import app
from typer.testing import CliRunner

ENGLISH = re.compile("[a-z]+ [a-z]+ [a-z]+")


def said(monkeypatch, *arguments):
    """The lines of a command in Arabic that hold English, but for signatures and commands."""
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, [*map(str, arguments), "--lang", "ar"])
    assert done.exit_code == 0, (done.output, done.exception)
    lines = [re.sub("`[^`]*`", "", line) for line in done.output.splitlines()]
    assert re.search("[\u0600-\u06ff]{3}", done.output)
    return [line for line in lines if "|v:" not in line and ENGLISH.search(line)]


def test_a_board(evaluated, tmp_path, monkeypatch):
    runs = (evaluated["constant"], evaluated["hf"])
    assert said(monkeypatch, "leaderboard", *runs, "--metric", "rougeL", "--out", tmp_path / "board") == []


@pytest.fixture
def answers(tmp_path):
    path = tmp_path / "answers.csv"
    rows = [f"{n},ما سبب الصداع؟,الصداع النصفي شائع,اشرب الماء وراجع الطبيب إن استمر,critical" for n in range(3)]
    path.write_text("\n".join(["id,question,reference,prediction,severity", *rows]), encoding="utf-8")
    return path


def test_scores(answers, tmp_path, monkeypatch):
    out = tmp_path / "scores.parquet"
    assert said(monkeypatch, "score", answers, "--bertscore-model", "none", "--out", out) == []


def test_a_dataset_and_its_labels(tmp_path, monkeypatch):
    rows = ["id,question,answer,category"]
    rows += [f"{n},أعاني من صداع منذ {n} أيام فما السبب؟,الصداع رقم {n} شائع,أعصاب" for n in range(60)]
    source = tmp_path / "rows.csv"
    source.write_text("\n".join(rows), encoding="utf-8")
    made, labelled = tmp_path / "made", tmp_path / "labelled"
    held = ("--test", 10, "--validation", 10)
    assert said(monkeypatch, "prepare", source, "--out", made, *held) == []
    assert said(monkeypatch, "label", made, "--with", "rules", "--out", labelled) == []
