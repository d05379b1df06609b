"""`maqa report A B C`: who is the reference, what of a third run is shown, and what made the runs."""

import base64
import gzip
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from maqa_severity.cli import main
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.analysis import Analysis
from maqa_severity.harness.runs.reference import reference_of
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.statistics import Resampling
from maqa_severity.reports.page import report_page
from maqa_severity.reports.wrong import wrongs
from maqa_severity.tests.made_runs import made_run

FEW = Resampling(resamples=100)
LANDED = Path(__file__).parent / "data" / "landed" / "runs"


def book(page):
    """What the browser of answers holds."""
    data = re.search(r'id="answers-data">([^<]*)<', page)
    return json.loads(gzip.decompress(base64.b64decode(data[1])))


@pytest.fixture(scope="module")
def runs():
    """Three runs of the same thirty questions."""
    return [made_run(name, 30, seed) for seed, name in enumerate(("ours", "theirs", "other"), 1)]


@pytest.fixture(scope="module")
def page(runs):
    """Their report, the second run the reference."""
    ours, theirs, third = runs
    return report_page(ours, theirs, metric="chrf", resampling=FEW, third=third, chosen="asked")


def test_a_third_run_stands_in_the_browser_alone_and_the_page_says_so(runs, page):
    ours, theirs, third = runs
    assert book(page)["runs"] == ["ours", "theirs", "other"]
    assert re.search(r'id="third"><p[^>]*>other stands beside the others in the browser', page)
    two, three = wrongs([ours, theirs]), wrongs([ours, theirs], [third])
    assert [each.below for each in two] == [each.below for each in three] and len(three[0].flagged) == 3
    alone = report_page(ours, theirs, metric="chrf", resampling=FEW, chosen="asked")
    tables = [re.search(r'(?s)id="errors-table".*?</table>', each)[0] for each in (alone, page)]
    tables = [re.sub(r' data-say(-on)?="[^"]*"', "", each) for each in tables]
    assert tables[0] == tables[1]


def test_what_a_third_run_was_not_scored_by_is_absent_of_it(runs):
    ours, theirs, third = runs
    bare = replace(third, scores=third.scores.only(["chrf"]))
    assert not any(each.applies[2].any() for each in wrongs([ours, theirs], [bare]) if each.below is None)


def test_the_page_says_what_made_each_run_and_who_is_the_reference(page):
    assert 'id="reproduce"' in page and page.count("<details open><summary><bdi>") == 3
    assert re.search(r'id="reference"[^>]*>Reference: theirs, as asked by --reference', page)
    assert "navigator.clipboard" in page


def test_the_command_that_made_a_run_stands_there_with_a_button():
    run = load_run(LANDED / "ce")
    manifest = run.manifest.model_copy(update={"runtime": {"command": "maqa evaluate --model echo --out there"}})
    page = report_page(replace(run, manifest=manifest), metric="rougeL", resampling=FEW)
    assert ">maqa evaluate --model echo --out there</code>" in page and 'data-of="command-1"' in page
    assert run.manifest.data.fingerprint[:12] in page


def test_no_order_of_the_runs_picks_the_reference(runs, monkeypatch):
    arms = {"ours": "severity balanced", "theirs": "ce", "other": "base"}
    monkeypatch.setattr("maqa_severity.harness.runs.reference.arm_and_seed", lambda run: (arms[run.name], 0))
    declared = Analysis.model_validate({"primary": "chrf", "contrasts": [{"arm": "severity", "against": ["ce"]}]})
    for some in (runs, runs[::-1]):
        assert [reference_of(some, *asked)[0].name for asked in ((), ("ours",), (None, declared))] == [
            "other", "ours", "theirs"
        ]  # fmt: skip
        assert reference_of([run for run in some if run.name != "other"]) == (runs[1], "ce")
        with pytest.raises(UserError, match="--reference nobody: no run has that name"):
            reference_of(some, "nobody")
    with pytest.raises(UserError, match="nothing says which of ours, ours"):
        reference_of([runs[0], runs[0]])


def test_the_command_takes_three_runs_and_refuses_a_fourth(tmp_path, capsys, monkeypatch):
    ce, severity = str(LANDED / "ce"), str(LANDED / "severity")

    def maqa(*arguments):
        few = ("--metric", "rougeL", "--resamples", "100", "--out", str(tmp_path / "r.html"))
        monkeypatch.setattr(sys, "argv", ["maqa", "report", *arguments, *few])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        return code, " ".join(capsys.readouterr().err.split())

    code, told = maqa(ce, severity, ce, severity)
    assert code == 2 and "one to three runs, and 4 were given" in told
    code, told = maqa(ce, "--reference", "ce")
    assert code == 2 and "--reference chooses among several runs" in told
    code, told = maqa(severity, ce, ce)
    assert code == 2 and "Give --reference NAME" in told
    assert maqa(ce, severity)[0] == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert book(page)["runs"] == ["severity", "ce"] and "Reference: ce, the plain arm" in page
    assert maqa(severity, severity, "--against", ce)[0] == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert book(page)["runs"] == ["severity", "ce", "severity (2)"] and 'id="third"' in page
