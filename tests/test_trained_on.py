"""What a model was trained on is told wherever its answers are judged."""

from dataclasses import replace
from pathlib import Path

import pytest
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.runs.trained_on import QUESTIONS, trained_notes, trained_on, write_questions
from maqa_severity.leaderboards.board import build_board
from maqa_severity.reports.page import report_page
from maqa_severity.tests.tongues import ARABIC

LANDED = Path(__file__).parent / "data" / "landed" / "runs"
ASKED = ["ما علاج الصداع؟", "عندي سعال منذ يومين", "هل الحمى خطيرة"]


def test_a_question_is_known_whatever_its_marks_and_through_the_base(tmp_path):
    assert trained_on(tmp_path, ASKED, ARABIC) is None
    write_questions(tmp_path / "base", ["ما عِلاج الصداع"], ARABIC, tmp_path / "nothing")
    write_questions(tmp_path / "arm", ["عندي سُعال منذ يومين.", "آخر"], ARABIC, tmp_path / "base")
    assert trained_on(tmp_path / "base", ASKED, ARABIC) == 1
    assert trained_on(tmp_path / "arm", ASKED, ARABIC) == 2
    write_questions(tmp_path / "copy", (), ARABIC, tmp_path / "arm")
    assert (tmp_path / "copy" / QUESTIONS).read_bytes() == (tmp_path / "arm" / QUESTIONS).read_bytes()
    write_questions(tmp_path / "untrained", (), ARABIC, tmp_path / "nothing")
    assert not (tmp_path / "untrained").exists()


@pytest.fixture
def known():
    """Two runs, of which the second was asked what it had learnt."""
    first, second = (load_run(LANDED / name) for name in ("ce", "severity"))
    data = second.manifest.data.model_copy(update={"trained_on": 3})
    return first, replace(second, manifest=second.manifest.model_copy(update={"data": data}))


def test_it_is_said_in_comparison_board_and_report(known):
    (said,) = trained_notes(known)
    assert said.startswith(f"3 of the {len(known[1].answers)} questions of {known[1].name} were in its training")
    metric = known[0].scores.metrics[0]
    assert said in compare(*known, [metric]).notes
    assert said in build_board(known, metric).notes
    assert said in report_page(known[1], metric=metric)
