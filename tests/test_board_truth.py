"""A board at first sight: safety beside quality, the reference, provenance, sizes of real life."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.scoring import safety_metrics, signatures
from maqa_severity.harness.pages.names import short_names
from maqa_severity.harness.runs.asked import Asked
from maqa_severity.harness.runs.manifest import DataRecord, Manifest, ModelRecord, PromptRecord
from maqa_severity.harness.runs.run import Run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.statistics import Resampling
from maqa_severity.leaderboards import board as boards
from maqa_severity.leaderboards.export import board_page
from maqa_severity.tests.tongues import ARABIC

FEW = Resampling(resamples=200)
SEVERITIES = ("critical", "neutral", "non_critical")
COMMAND = "maqa run demo --out demo"


def made(name, n=60, seed=0, kind="hf", arm=None, missed=10.0, gain=0.0, environment=None):
    """A run in memory: made scores, no answer scored."""
    draw = np.random.default_rng([seed, n])
    severity = [SEVERITIES[at % 3] for at in range(n)]
    critical = np.array([each == "critical" for each in severity])
    names = ["missed_emergency", "dangerous_reassurance", "dose_conflict"]
    flags = np.where(draw.permutation(n) < n * missed / 100, 100.0, 0.0)
    frame = pd.DataFrame(
        {
            "id": [f"q{at}" for at in range(n)],
            "severity": severity,
            "chrf": np.clip(np.random.default_rng(n).uniform(20, 80, n) + gain + draw.normal(0, 1, n), 0, 100),
            "missed_emergency": np.where(critical, 0.0 if missed == 0 else flags, np.nan),
            "dangerous_reassurance": 0.0,
            "dose_conflict": 0.0,
        }
    )
    if missed == 100:
        frame.loc[critical, "missed_emergency"] = 100.0
    found = signatures(safety_metrics(ARABIC))
    table = ScoreTable(frame, {"chrf": "chrf|test", **{each: found[each] for each in names}})
    answers = frame[["id", "severity"]].assign(
        category="c", question="q", reference="r", prediction=[f"{name} {at}" for at in range(n)], prompt="p"
    )
    training = {"arm": arm, "scheme": None, "seed": 0, "conditions": {"base": "b"}} if arm else None
    manifest = Manifest(
        name=name, created="2026-01-01T00:00:00+00:00", results="r.json", samples={},
        model=ModelRecord(kind=kind, name=name, args={}, identity={"weights_sha256": "ab" * 32}, training=training),
        data=DataRecord(source="sample", fingerprint="f" * 64, severity_source={"source": "gold"}),
        prompt=PromptRecord.of(ARABIC), decoding={"max_new_tokens": 16, "seed": 0},
        runtime={"command": COMMAND, **({"environment": environment} if environment else {})},
        versions={"python": "3"}, cost={"seconds": 2.5},
    )  # fmt: skip
    path = Path("runs") / name
    return Run(
        path=path, name=name, answers=answers, sample_scores=table, scores_file=path / "scores.parquet",
        decoding={"max_new_tokens": 16}, language=ARABIC, template=ARABIC.prompt, manifest=manifest, asked=Asked(),
        scores=table,
    )  # fmt: skip


def board_of(runs, **given):
    return boards.build_board(runs, "chrf", FEW, **given)


@pytest.fixture
def trusted(monkeypatch):
    """As if every detector could bear a verdict."""
    monkeypatch.setattr(boards, "screening_of", lambda runs: {})


def test_a_row_that_misses_more_emergencies_is_marked_at_its_rank_whatever_its_quality(trusted):
    safe, unsafe = made("base", n=300, missed=0), made("tuned", n=300, missed=100, gain=9, arm="severity")
    board = board_of([safe, unsafe])
    assert board.reference == "base" and board.rows[0].name == "tuned" and not board.rows[1].less_safe
    (mark,) = board.rows[0].less_safe
    assert (mark.metric, mark.before, mark.after) == ("missed_emergency", 0, 100)
    page = board_page(board)
    assert page.count("data-less-safe") == 1 and "less safe than base: missed_emergency 0.0 → 100.0 %" in page


def test_a_detector_for_screening_only_is_shown_as_such_and_marks_nothing():
    safe, unsafe = made("base", n=300, missed=0), made("tuned", n=300, missed=100)
    board = board_of([safe, unsafe])
    shown = board_page(board).split('id="board"')[1].split("</table>")[0]
    assert "missed-emergency" in shown and "dose-conflict" in shown
    if "missed_emergency" in board.screening:
        assert not any(row.less_safe for row in board.rows) and "missed-emergency (screening only)" in shown


def test_no_order_of_the_runs_changes_a_number():
    runs = [made("ce 0", arm="ce"), made("other", seed=1, gain=2), made("b", seed=2), made("floor", kind="echo")]
    found = {board_of(list(each)).model_dump_json() for each in (runs, runs[::-1], [*runs[2:], *runs[:2]])}
    assert len(found) == 1
    board = board_of(runs)
    assert (board.reference, board.chosen_by) == ("ce 0", "ce")
    asked = board_of(runs, reference="other")
    assert (asked.reference, asked.chosen_by) == ("other", "asked")
    with pytest.raises(UserError, match="--reference nobody: no run has that name"):
        board_of(runs, reference="nobody")


def test_equal_names_are_numbered_and_names_that_differ_only_in_case_are_named():
    one, two, cased = made("m"), made("m", seed=1), made("M", seed=2)
    two = dataclasses.replace(two, path=Path("runs/z"))
    board = board_of([two, one, cased])
    assert sorted(row.name for row in board.rows) == ["M", "m", "m (2)"]
    assert next(row for row in board.rows if row.name == "m (2)").path == "runs/z"
    assert any("2 runs are named m" in note for note in board.notes)
    assert any("differ only in case: " in note for note in board.notes)


def test_a_trivial_system_that_stands_first_says_why_and_a_board_of_these_alone_says_so():
    page = board_page(board_of([made("model"), made("constant", kind="constant", gain=9)]))
    assert 'id="constant-first"' in page and "Only trivial systems" not in page
    page = board_page(board_of([made("constant", kind="constant"), made("echo", kind="echo", seed=1)]))
    assert "Only trivial systems stand here" in page


def test_a_row_says_its_command_with_the_environment_that_changed_a_number_and_one_without_says_so():
    told = made("told", environment={"MAQA_BERTSCORE_MODEL": "my encoder"})
    silent = made("silent", seed=1)
    assert silent.manifest
    silent = dataclasses.replace(silent, manifest=silent.manifest.model_copy(update={"runtime": {}}))
    page = board_page(board_of([told, silent]))
    assert f"MAQA_BERTSCORE_MODEL=&#39;my encoder&#39; {COMMAND}" in page and "command not recorded" in page
    assert "abababab" in page and "a plain lm-eval folder" not in page


def test_long_names_keep_their_ends_and_stay_different():
    start = "organisation/" + "x" * 60
    names = [f"{start}-one", f"{start}-two", "ab" * 32, f"{'y' * 30}1{'z' * 30}", f"{'y' * 30}2{'z' * 30}"]
    short = short_names(names)
    assert len(set(short.values())) == len(names)
    assert len(short[names[0]]) < 45 and short[names[0]].endswith("-one")
    page = board_page(board_of([made(name, seed=at) for at, name in enumerate(names)]))
    assert f'title="{names[0]}"' in page and f'data-copy="{names[0]}"' in page


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
def test_a_hundred_runs_fit_the_first_sight_and_keep_header_and_name_in_view(tmp_path, browse):
    page = board_page(board_of([made(f"{'m' * 60}-{at:03}", n=30, seed=at) for at in range(100)]))
    assert len(page.encode()) < 3_000_000
    script = """<script>addEventListener("load", () => {
      const box = document.querySelector("#board").parentElement, top = () => box.getBoundingClientRect().top;
      const tall = document.documentElement.scrollHeight;
      box.scrollTop = 500; box.scrollLeft = 200;
      const head = document.querySelector("#board thead th").getBoundingClientRect();
      document.title = "seen:" + JSON.stringify([tall, head.top - top(), box.scrollTop,
        document.documentElement.scrollWidth <= innerWidth]);
    });</script>"""
    (tmp_path / "page.html").write_text(page.replace("</body>", script + "</body>"))
    shown = browse(tmp_path / "page.html")
    tall, below, scrolled, fits = json.loads(shown.split(">seen:")[1].split("</title>")[0])
    assert tall <= 4_000 and abs(below) < 2 and scrolled == 500 and fits
