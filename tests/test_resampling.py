"""The resamples behind intervals and tests are the user's to choose, and every output says which they were."""

import json
import subprocess
import sys

import pytest
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.statistics import USUAL, Resampling, paired, summarise
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_page
from maqa_severity.reports.page import report_page
from maqa_severity.trainers.experiments.config import Experiment
from pydantic import ValidationError

OTHER = Resampling(seed=3, resamples=500)


def maqa(*arguments):
    command = [sys.executable, "-m", "maqa_severity", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "wrong", [{"resamples": 99}, {"resamples": 10**9}, {"seed": -1}, {"resamples": "many"}, {"seeds": 1}]
)
def test_impossible_resamples_are_refused(wrong):
    with pytest.raises(ValidationError):
        Resampling(**wrong)


def test_equal_resamples_give_equal_numbers_and_others_move_every_interval(evaluated):
    one, other = (load_run(evaluated[name]).scores for name in ("hf", "constant"))
    for statistic in (
        lambda resampling: summarise(one, resampling),
        lambda resampling: paired(one, other, "bertscore_f1", resampling=resampling),
    ):
        usual, again, changed = (
            [each for each in statistic(resampling) if each.metric == "bertscore_f1"]
            for resampling in (USUAL, Resampling(), OTHER)
        )
        assert usual == again
        assert [each.mean for each in usual] == [each.mean for each in changed]
        for before, after in zip(usual, changed, strict=True):
            # Few answers are tested with all signs, whatever the resampling.
            fixed = before.low is None or getattr(before, "exact", False)
            assert fixed or (before.low, before.high) != (after.low, after.high)


def test_board_report_and_comparison_are_made_with_the_resamples_that_were_asked_for(evaluated):
    one, other = (load_run(evaluated[name]) for name in ("hf", "constant"))
    board, usual = (build_board([one, other], resampling=resampling) for resampling in (OTHER, USUAL))
    for row, before in zip(board.rows, usual.rows, strict=True):
        assert row.cell("bertscore_f1", "critical").high != before.cell("bertscore_f1", "critical").high
        assert row.aggregates["worst_severity"].high != before.aggregates["worst_severity"].high
    assert board.resampling == OTHER
    for page, plain in (
        (board_page(board), board_page(usual)),
        (report_page(one, other, resampling=OTHER), report_page(one, other)),
    ):
        assert "500 resamples and seed 3 instead of the usual" in page and "resamples:500|seed:3" in page
        assert "instead of the usual" not in plain and "resamples:10000|seed:0" in plain
    assert compare(one, other, resampling=OTHER).as_json()["resampling"] == {"seed": 3, "resamples": 500}


def test_every_command_that_tests_takes_and_prints_them(evaluated, tmp_path):
    one, other = evaluated["hf"], evaluated["constant"]
    given = ("--seed", 3, "--resamples", 500)
    done = maqa("leaderboard", one, other, "--out", tmp_path / "board", *given)
    assert "resamples:500|seed:3" in done.stdout, done.stderr
    board = json.loads((tmp_path / "board" / "leaderboard.json").read_text())
    assert board["resampling"] == {"seed": 3, "resamples": 500}
    done = maqa("compare", "--a", one, "--b", other, "--json", tmp_path / "compared.json", *given)
    assert "resamples:500|seed:3" in done.stdout, done.stderr
    assert maqa("report", one, "--out", tmp_path / "report.html", *given).returncode == 0
    assert "resamples:500|seed:3" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("command", "options", "named"),
    [
        ("compare", ("--resamples", 5), "option 'resamples' with the value 5"),
        ("compare", ("--seed", -1), "option 'seed' with the value -1"),
    ],
)
def test_impossible_options_are_refused_in_one_line(evaluated, command, options, named):
    done = maqa(command, evaluated["hf"], evaluated["constant"], *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert named in done.stderr and f"maqa {command} --help" in done.stderr


def test_an_experiment_declares_them_and_may_change_them_without_training_again():
    settings = {"name": "x", "data": {"source": "sample"}, "models": [{"name": "m", "id": "demo"}]}
    settings["arms"] = [{"arm": "ce"}]
    usual = Experiment.model_validate(settings)
    other = Experiment.model_validate({**settings, "statistics": {"seed": 3, "resamples": 500}})
    assert (usual.statistics, other.statistics) == (USUAL, OTHER)
    assert other.equals(usual.model_dump(mode="json"))
    with pytest.raises(ValidationError, match="resamples"):
        Experiment.model_validate({**settings, "statistics": {"resamples": 5}})
