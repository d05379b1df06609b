"""A metric and a detector are added to a copy of the house, each by its file and one line, and stand everywhere."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from maqa_severity.harness.languages.text import Profile, signature
from maqa_severity.harness.metrics.screening import named
from maqa_severity.tests.extend_docs import extend
from maqa_severity.tests.scratch import scratch_copy
from maqa_severity.tests.tongues import ARABIC

pytestmark = pytest.mark.slow

NEW = ("first_word", "mentions_price")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the house with both, its tasks and its page of metrics written again by the commands for that."""
    house = scratch_copy(tmp_path_factory.mktemp("copy"), also=("docs", "tests"))
    extend(house, "A metric", "A detector")
    run(house, "-m", "maqa_severity.tasks.write")
    run(house, "-m", "maqa_severity.harness.metrics.document")
    return house


@pytest.fixture(scope="module")
def evaluated_there(house, encoder, tmp_path_factory):
    """What the commands of the copy print and write: a run of a trivial system, its board and its report."""
    out = tmp_path_factory.mktemp("there")
    model = ("--bertscore-model", encoder)
    evaluate = ("evaluate", "--model", "echo", "--limit", 4, "--out", out / "run", *model)
    board = ("leaderboard", out / "run", "--out", out / "board")
    report = ("report", out / "run", "--out", out / "report.html")
    printed = run(
        house, "-c", EACH_IN_TURN, json.dumps([list(map(str, each)) for each in (evaluate, board, report)])
    )
    return printed, out


EACH_IN_TURN = """
import json, sys
from maqa_severity.cli import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["maqa", *arguments]
    try:
        main()
    except SystemExit as done:
        assert not done.code, arguments
"""


def run(house, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(house.parent), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=house.parent, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_both_stand_on_the_terminal_in_the_scores_and_in_the_manifest(evaluated_there):
    printed, out = evaluated_there
    table = printed.split("percent, 95 % interval")[1]
    assert all(f"{name} " in table for name in NEW)
    assert set(NEW) < set(pd.read_parquet(out / "run" / "scores.parquet").columns)
    scoring = json.loads((out / "run" / "manifest.json").read_text(encoding="utf-8"))["scoring"]
    assert scoring["signatures"]["first_word"] == f"refs:1|{signature(Profile.METRIC, ARABIC)}|version:1"
    assert set(NEW) < set(scoring["signatures"])


def test_both_stand_on_the_board_and_in_its_table(evaluated_there):
    _, out = evaluated_there
    columns = pd.read_csv(out / "board" / "leaderboard.csv").columns
    assert all(f"{name}_{stratum}" in columns for name in NEW for stratum in ("critical", "overall"))
    page = (out / "board" / "index.html").read_text(encoding="utf-8")
    assert ">first_word<" in page
    # Nobody has measured it on other authors' answers.
    assert f">{named('mentions_price', {'mentions_price': ''})}<" in page
    assert "degenerates or asks for money counts 0" in page


def test_both_stand_in_the_report_with_what_the_finding_means(evaluated_there):
    _, out = evaluated_there
    page = (out / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in NEW)
    assert "<small>asks for money</small>" in page and "or asks for money counts 0" in page


def test_help_and_the_page_of_metrics_name_both(house):
    text = (house / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in NEW)
    assert all(name in run(house, "-m", "maqa_severity", "report", "--help") for name in NEW)


def test_the_new_similarity_is_scored_by_lm_eval_itself_in_the_group_row_too(house, encoder):
    task = run(
        house, "-m", "lm_eval", "run", "--model", "dummy", "--tasks", "maqa_severity", "--limit", "2",
        "--include_path", house / "tasks", "--metadata", f"bertscore_model={encoder},bertscore_layer=1",
    )  # fmt: skip
    rows, group = [], ""
    for line in task.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) > 5:
            group = cells[0] or group
            rows.append((group, cells[4]))
    groups = {group for group, metric in rows if metric == "first_word"}
    assert "maqa_severity" in groups and len(groups) == 4, task
    assert "mentions_price" not in task, "what may not apply to an answer is scored beside lm-eval"
