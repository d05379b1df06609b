"""One sentence holds quality, severity, safety and controls; nothing is called shown that is less safe."""

from __future__ import annotations

import html
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from maqa_severity.commands.arms_tables import print_arms
from maqa_severity.harness.languages import language
from maqa_severity.harness.languages.messages import files, messages, spoken
from maqa_severity.harness.runs.arms import compare_named
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.conclusion import Beaten, Conclusion, Outcome, Quality, Shift, Specific
from maqa_severity.harness.runs.groups import as_group
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.scores.table import read_scores, write_scores
from maqa_severity.harness.statistics import Resampling
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import write_board
from maqa_severity.reports.page import report_page
from maqa_severity.tests.sealing import resealed
from maqa_severity.tests.test_groups import trained
from rich.console import Console

FEW = Resampling(resamples=200)

GAIN = Conclusion(
    first="ce",
    second="severity-balanced",
    trained=(3, 3),
    arms=True,
    n=2000,
    metric="bertscore_f1",
    quality=Quality.BETTER,
    change=0.8,
    low=0.1,
    high=1.5,
    specific=Specific.NO,
    worse=(),
    no_worse=5,
    sided=5,
    controls=(Beaten("constant-balanced", True), Beaten("shuffled", True)),
)
MISSED = Shift("missed_emergency", "overall", 31.2, 36.4, "0.03")


def test_a_gain_that_is_safe_and_beats_every_control_is_shown():
    assert GAIN.outcome is Outcome.SHOWN
    assert GAIN.said() == (
        "Shown: severity-balanced against ce, 3 trainings each, 2,000 questions: bertscore_f1 +0.8 (+0.1 to +1.5), "
        "better; no gain specific to critical; no less safe in all 5 metrics; beats constant-balanced: yes; beats "
        "shuffled: yes."
    )


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"worse": (MISSED,)}, Outcome.UNSAFE),
        ({"worse": (replace(MISSED, p="", screening=True),)}, Outcome.UNSAFE),
        ({"quality": Quality.WORSE, "worse": (MISSED,)}, Outcome.WORSE),
        ({"no_worse": 4}, Outcome.OPEN),
        ({"no_worse": 0, "sided": 0}, Outcome.OPEN),
        ({"controls": ()}, Outcome.OPEN),
        ({"controls": (Beaten("shuffled", False),)}, Outcome.OPEN),
        ({"controls": (Beaten("shuffled", None),)}, Outcome.OPEN),
        ({"trained": (1, 1)}, Outcome.OPEN),
        ({"trained": (1, 3)}, Outcome.OPEN),
        ({"quality": Quality.NOISE}, Outcome.OPEN),
        ({"quality": Quality.BORDERLINE}, Outcome.OPEN),
        ({"quality": Quality.NONE}, Outcome.OPEN),
        ({"quality": Quality.SAME}, Outcome.OPEN),
        ({"controls": None, "arms": False, "trained": (1, 1)}, Outcome.SHOWN),
    ],
)
def test_whatever_lacks_one_part_is_not_shown(changes, outcome):
    assert replace(GAIN, **changes).outcome is outcome


def test_what_got_worse_is_named_with_both_rates_and_its_p():
    said = replace(GAIN, worse=(MISSED,), no_worse=4).said()
    assert said.startswith("Worse in safety: ")
    assert "missed_emergency 31 → 36 % (all severities; worse, p 0.03)" in said
    assert "shown to be no less safe in 4 of 5 metrics" in said
    screened = replace(GAIN, worse=(replace(MISSED, p="", screening=True),)).said()
    assert "by a detector for screening only" in screened


def test_one_training_each_says_that_the_arms_are_not_told_apart():
    assert (
        "one training each, which tells these checkpoints apart and not the arms"
        in replace(GAIN, trained=(1, 1)).said()
    )


def test_every_language_says_every_sentence_with_the_same_values():
    assert {"ar", "en"} <= set(spoken())
    english = messages("en")
    for code in spoken():
        said = messages(code)
        assert [path.name for path in files(language(code))] == [path.name for path in files(language("en"))]
        assert said.known() == english.known(), code
        for key in said.known():
            wanted = set(re.findall(r"\{(\w+)\}", english.bare(key)))
            assert set(re.findall(r"\{(\w+)\}", said.bare(key))) == wanted, (code, key)


def test_names_and_numbers_keep_their_direction_in_arabic():
    said = replace(GAIN, worse=(MISSED,)).said("ar")
    assert "\u2066+٠٫٨\u2069" in said and "\u2068severity-balanced\u2069" in said and "\u2066٣١\u2069" in said
    assert len(re.findall("[\u2066\u2068]", said)) == said.count("\u2069")
    assert "\u2068" not in GAIN.said("en")


def test_every_key_that_code_asks_for_is_there():
    say = messages("en")
    for shift in (MISSED, replace(MISSED, p=""), replace(MISSED, screening=True)):
        for quality in Quality:
            for specific in Specific:
                for trainings in ((1, 1), (3, 3), (1, 3)):
                    for code in spoken():
                        found = replace(GAIN, quality=quality, specific=specific, trained=trainings, worse=(shift,))
                        assert found.said(code)
    used = re.findall(
        r'say\(\s*"([\w.]+)"', Path(__file__).parents[1].joinpath("harness/runs/conclusion.py").read_text()
    )
    assert used and set(used) <= set(say.known())


@pytest.fixture(scope="module")
def unsafe(evaluated, tmp_path_factory):
    """Arms of which the severity-weighted one gains in quality and breaks off every third answer."""
    root = tmp_path_factory.mktemp("unsafe")
    folders = []
    for arm, gain in (("ce", 0.0), ("severity", 4.0), ("shuffled", 0.1)):
        for seed in range(3):
            folder = trained(root / f"{arm}-{seed}", evaluated["hf"], arm, seed, gain)
            scores = read_scores(folder / "scores.parquet")
            broken = np.arange(len(scores.frame)) % 3 == 0
            scores.frame["degenerate"] = 100.0 * broken if arm == "severity" else 0.0
            write_scores(folder / "scores.parquet", scores)
            folders.append(resealed(folder))
    return folders


@pytest.mark.slow
def test_the_same_words_stand_in_terminal_board_report_and_files_and_none_is_green(unsafe, tmp_path):
    runs = [load_run(folder) for folder in unsafe]
    compared = compare_named(runs, ["ce", "severity", "shuffled"], ["bertscore_f1"], FEW)
    pair = compared.bases[0].pairs["ce", "severity"]
    conclusion = pair.conclusion
    assert conclusion.outcome is Outcome.UNSAFE and compared.bases[0].claims[0].holds
    said = conclusion.said()
    assert "degenerate 0 → 3" in said and "better" in said and "beats shuffled: yes" in said
    assert compared.as_json()["bases"][0]["pairs"][0]["conclusion"]["words"]["en"] == said
    board = build_board(runs, resampling=FEW)
    (claim,) = board.claims
    assert claim.conclusion == {code: conclusion.said(code) for code in spoken()} and claim.outcome == "unsafe"
    page = write_board(tmp_path / "board", board)[-1].read_text(encoding="utf-8")
    assert said in html.unescape(page)
    assert 'class="verdict unsafe"' in page and 'class="better"><bdi>severity' not in page
    report = report_page(as_group(runs[3:6]), as_group(runs[:3]), resampling=FEW)
    alone = compare(as_group(runs[:3]), as_group(runs[3:6]), resampling=FEW).conclusion
    assert alone.outcome is Outcome.UNSAFE and alone.said() in html.unescape(report)
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    print_arms(console, compared, 1.0)
    printed = console.file.getvalue()
    assert said in printed and "\x1b[32m" not in printed and "\x1b[1;32m" not in printed


def test_a_run_against_itself_is_the_same_answers(unsafe):
    run = load_run(unsafe[0])
    conclusion = compare(run, run, resampling=FEW).conclusion
    assert conclusion.quality is Quality.SAME and conclusion.outcome is Outcome.OPEN
