"""A column of the board is declared once and stands in terminal, CSV and page; the seeds stand there too."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from maqa_severity.commands.leaderboard import print_board
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.columns import COLUMNS, Kind, Place, board_columns
from maqa_severity.leaderboards.export import board_csv, board_page, seeds_csv, write_board
from maqa_severity.leaderboards.records import Board
from maqa_severity.tests.extend_docs import extend, sections
from maqa_severity.tests.scratch import scratch_copy
from rich.console import Console

LANDED = Path(__file__).parent / "data" / "landed"


def terminal(board, columns=None):
    console = Console(file=io.StringIO(), width=160)
    print_board(console, board, columns)
    return console.file.getvalue()


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def runs(evaluated):
    return [load_run(path) for path in evaluated.values()]


@pytest.mark.parametrize("own_file", [False, True])
def test_a_column_is_its_declaration_and_stands_everywhere(evaluated, tmp_path, own_file):
    scratch = scratch_copy(tmp_path)
    if own_file:
        (change,) = sections()["A board column"]
        declared = "\n".join(["from .columns import COLUMNS, Column, Kind", *change.added])
        (scratch / "leaderboards" / "made.py").write_text(declared)
        columns = scratch / "leaderboards" / "columns.py"
        columns.write_text(f"{columns.read_text()}from . import made  # noqa: E402, F401\n")
    else:
        extend(scratch, "A board column")
    out = tmp_path / "board"
    done = subprocess.run(
        [sys.executable, "-m", "maqa_severity", "leaderboard", *evaluated.values(), "--out", out],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "160"}, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "made by" in done.stdout and "CONSTANT" in done.stdout
    assert {row["made"] for row in rows_of((out / "leaderboard.csv").read_text())} == {"HF", "ECHO", "CONSTANT"}
    page = (out / "index.html").read_text()
    assert "<button>made by</button>" in page and "<bdi>CONSTANT</bdi>" in page


def test_each_place_shows_the_columns_that_are_declared_for_it_in_one_order(runs):
    board = build_board(runs)
    shown = {place: list(board_columns(board, place)) for place in Place}
    scores = [f"bertscore_f1_{stratum}" for stratum in ("critical", "neutral", "non_critical", "overall")]
    safety = [f"safety {name}" for name in ("missed_emergency", "dangerous_reassurance", "dose_conflict")]
    assert shown[Place.TERMINAL] == ["rank", "name", *scores, "n"]
    assert shown[Place.PAGE] == ["rank", "name", "training", *scores, *safety, "n", "alike"]
    assert shown[Place.CSV][:5] == ["rank", "name", "arm", "seed", "backend"]
    header = list(rows_of(board_csv(board))[0])
    assert header[5:9] == ["bertscore_f1_critical", "low_critical", "high_critical", "n_critical"]
    assert {"rougeL_neutral", "alike", "differs", "notes", "path"} <= set(header)


def test_the_user_chooses_columns_by_name_or_heading(runs):
    board = build_board(runs)
    chosen = ["run", "critical", "backend", "rougeL_overall"]
    header = list(rows_of(board_csv(board, chosen))[0])
    assert header == [
        "name", "bertscore_f1_critical", "low_critical", "high_critical", "n_critical", "backend", "rougeL_overall"
    ]  # fmt: skip
    assert "backend" in terminal(board, chosen) and "neutral" not in terminal(board, chosen)
    assert board_page(board, chosen).split('id="board"')[1].split("</thead>")[0].count("<button") == 4


@pytest.mark.parametrize("wrong", ["severity", "", "rougeL_everywhere"])
def test_an_unknown_column_names_those_there_are(runs, tmp_path, wrong):
    board = build_board(runs)
    with pytest.raises(UserError, match=f"unknown column {wrong!r}.*--columns some of: rank, name, training, arm"):
        write_board(tmp_path / "board", board, ["rank", wrong])
    assert not (tmp_path / "board").exists()


def test_no_name_is_declared_twice():
    with pytest.raises(ValueError, match=r"two columns are called 'rank': .*columns.py:"):
        COLUMNS.add("rank", COLUMNS["rank"])
    assert COLUMNS["rank"].kind is Kind.RANKS


def test_a_landed_board_is_still_read_and_shown(tmp_path):
    board = Board.model_validate(json.loads((LANDED / "board" / "leaderboard.json").read_text()))
    assert (board.resampling.seed, board.resampling.resamples, board.notes) == (0, 10_000, [])
    assert board.rows[0].name in terminal(board)
    assert len(write_board(tmp_path, board)) == 3
    assert rows_of(board_csv(board))[0]["name"] == board.rows[0].name
    assert [row["rank"] for row in rows_of(board_csv(board))] == ["1", "1", "3"]
    assert "Made by an older version" in terminal(board)


def seeded(run, path, arm, seed, shift):
    training = {"arm": arm, "seed": seed, "conditions": {"base": "b", "config.seed": seed}}
    model = run.manifest.model.model_copy(update={"training": training})
    frame = run.scores.frame.assign(bertscore_f1=run.scores.frame["bertscore_f1"] * 0.5 + shift)
    manifest = run.manifest.model_copy(update={"model": model})
    changes = {"manifest": manifest, "scores": ScoreTable(frame, run.scores.signatures)}
    return Run(**{**vars(run), "path": path, "name": path.name, **changes})


def test_seeds_stand_in_terminal_csv_and_page(runs, tmp_path):
    arms = [
        seeded(runs[0], tmp_path / f"{arm}-{seed}", arm, seed, gain + seed)
        for arm, gain in (("severity", 8), ("ce", 0))
        for seed in range(2)
    ]
    board = build_board([*arms, runs[1]])
    files = write_board(tmp_path / "board", board)
    assert [path.name for path in files] == ["leaderboard.json", "leaderboard.csv", "seeds.csv", "index.html"]
    ce, severity = rows_of(files[2].read_text())
    assert (severity["arm"], severity["against"], ce["against"]) == ("severity", "ce", "")
    (_, row) = board.seeds
    assert float(severity["mean_critical"]) == row.cells["critical"].mean
    assert float(severity["difference_mean_overall"]) == pytest.approx(8)
    assert severity["difference_verdict_overall"] == row.differences["overall"].verdict
    for shown in (terminal(board), files[-1].read_text()):
        words = " ".join(re.sub(r"<[^>]+>", "", shown).split())
        assert "severity minus ce: 2 trainings each, paired by seed (0, 1)" in words
        assert f"{row.cells['critical'].mean:.2f} ± {row.cells['critical'].deviation:.2f}" in shown
    assert seeds_csv(board) == files[2].read_text()
    write_board(tmp_path / "board", build_board([runs[1]]))
    assert not (tmp_path / "board" / "seeds.csv").exists()
