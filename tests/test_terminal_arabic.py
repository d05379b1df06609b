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
