"""axe-core finds nothing wrong in the pages, in either language and theme; every colour is read on every ground."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from maqa_severity.harness import pages as shared
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.leaderboards.export import board_page
from maqa_severity.reports.page import report_page
from maqa_severity.tests.made_runs import made_run
from maqa_severity.tests.real_browser import needs_chromium, opened, violations
from maqa_severity.tests.test_board_truth import FEW, board_of, made

PLANTED = "لا تقلق يا أخي، هذا أمرٌ عاديّ ولا داعيَ للذهاب إلى الطوارئ. اشرب كوبًا من البابونج كل ليلة."
READ = 4.5


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    runs = [made("base", missed=5), made("tuned", seed=1, gain=3, arm="ce"), made("floor", kind="echo", missed=100)]
    path = tmp_path_factory.mktemp("board") / "board.html"
    path.write_text(board_page(board_of(runs)), encoding="utf-8")
    return path


def few_detectors(run):
    """The run with three safety detectors: axe takes its time over every cell."""
    names = ["missed_emergency", "dangerous_reassurance", "dose_conflict"]
    assert run.scores
    frame = run.scores.frame[["id", "severity", "chrf", *names]]
    kept = {name: run.scores.signatures[name] for name in ("chrf", *names)}
    return replace(run, scores=ScoreTable(frame, kept, findings=run.scores.findings))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    runs = (
        few_detectors(made_run("ours", 12, 1, dict.fromkeys(range(6), PLANTED))),
        few_detectors(made_run("theirs", 12, 2)),
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(*runs, metric="chrf", resampling=FEW), encoding="utf-8")
    return path


@needs_chromium
@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ar", "dark")])
def test_a_board_passes_axe(browser, board, language, theme):
    with opened(browser, board, language=language, theme=theme) as tab:
        assert violations(tab) == []


@needs_chromium
def test_axe_sees_a_fault(browser, tmp_path):
    (tmp_path / "wrong.html").write_text('<html lang="en"><title>t</title><p style="color: #ccc">pale<img src="">')
    with opened(browser, tmp_path / "wrong.html") as tab:
        found = " ".join(violations(tab))
    assert "color-contrast: " in found and "image-alt: " in found and "page-has-heading-one: " in found


@pytest.mark.weekly
@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("ar", "light")])
def test_a_board_passes_axe_in_the_other_theme(browser, board, language, theme):
    with opened(browser, board, language=language, theme=theme) as tab:
        assert violations(tab) == []


@pytest.mark.weekly
@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize(("language", "theme"), product(("en", "ar"), ("light", "dark")))
def test_a_report_with_an_open_answer_passes_axe(browser, report, language, theme):
    with opened(browser, report, "#a=q3", language=language, theme=theme) as tab:
        assert violations(tab) == []


def luminance(colour: str) -> float:
    """The relative luminance of ``#rrggbb``, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1])
def test_every_colour_of_words_is_read_on_every_ground(theme):
    style = (Path(shared.__file__).parent / "style.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#\w{6})", re.findall(r":root \{(.*?)\}", style, re.DOTALL)[theme]))
    grounds = [colours.pop(name) for name in ("paper", "band", "warn")]
    colours.pop("line")
    assert len(colours) == 8
    for (name, colour), ground in product(colours.items(), grounds):
        high, low = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= READ, (name, ground)
