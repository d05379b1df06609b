"""What the rules say of questions and references is kept beside the scores: every number is that of before."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.evaluation.verifying import verify_run
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.scoring import run_metrics, safety_metrics, score_table
from maqa_severity.harness.runs import questions as asked
from maqa_severity.harness.runs.questions import (
    Triaged,
    kept_questions,
    reference_ceilings,
    triaged,
    write_questions,
)
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Resampling
from maqa_severity.reports import triage as strata
from maqa_severity.reports.page import report_page
from maqa_severity.tests.made_runs import made_run
from maqa_severity.tests.sealing import resealed
from maqa_severity.tests.tongues import ARABIC

LANDED = Path(__file__).parent / "data" / "landed" / "runs"
FEW = Resampling(resamples=200)


@pytest.fixture
def run(tmp_path):
    """A run with the file beside its scores."""
    made = replace(made_run("made", 40, 1), path=tmp_path, scores_file=tmp_path / "scores.parquet")
    write_questions(made, made.scores_file)
    return made


@pytest.fixture(scope="module")
def rescored(tmp_path_factory):
    """A run of an earlier version, and the same scored anew."""
    before = shutil.copytree(LANDED / "ce", tmp_path_factory.mktemp("before") / "ce")
    after = shutil.copytree(before, tmp_path_factory.mktemp("after") / "ce")
    assert not (before / "questions.parquet").exists()
    rescore(resealed(after), lambda language: run_metrics(language, "none"))
    return before, after


def nothing_computed(monkeypatch):
    def computed(*_):
        raise AssertionError("it was computed again")

    monkeypatch.setattr(asked, "_ceilings", computed)
    monkeypatch.setattr(asked, "_triaged", computed)


def test_what_is_kept_is_what_would_be_computed(run, monkeypatch):
    rows = run.answers
    references, severities = list(rows["reference"]), [Severity(each) for each in rows["severity"]]
    answers = Answers(references, references, list(rows["question"]), severities)
    scores = score_table(list(rows["id"]), answers, safety_metrics(ARABIC), explain=False)
    triage = triaged(replace(run, scores_file=run.path / "scores_none.parquet"))
    nothing_computed(monkeypatch)
    kept = reference_ceilings(run)
    pd.testing.assert_frame_equal(kept.frame, scores.frame)
    assert kept.signatures == scores.signatures
    assert triaged(run) == triage and any(triage.fired) and len({*triage.levels}) > 1


def test_rows_in_another_order_find_their_own(run, monkeypatch):
    nothing_computed(monkeypatch)
    backwards = replace(run, answers=run.answers[::-1].reset_index(drop=True))
    assert triaged(backwards).levels == triaged(run).levels[::-1]
    assert list(reference_ceilings(backwards).frame["id"]) == list(backwards.answers["id"])


def test_a_page_has_the_same_bytes_with_and_without_the_file(run, monkeypatch):
    without = replace(run, scores_file=run.path / "scores_none.parquet")
    page = report_page(without, metric="chrf", resampling=FEW)
    nothing_computed(monkeypatch)
    assert report_page(run, metric="chrf", resampling=FEW) == page
    with pytest.raises(AssertionError, match="computed again"):
        report_page(without, metric="chrf", resampling=FEW)


def test_no_accident_decides_which_of_equally_frequent_signs_a_page_leaves_out(run, monkeypatch):
    names = [f"sign-{number:02}" for number in range(25)]
    read = [[(name, 2) for name in names[place % 25 :] + names[: place % 25]] for place in range(len(run.answers))]
    monkeypatch.setattr(strata, "triaged", lambda _: Triaged("made", [2] * len(read), read))
    found = strata.triage_strata(run, None, "chrf")
    assert [each.name for each in found.discriminators] == names[:20]


@pytest.mark.parametrize("column", ["question", "reference", "severity", "id"])
def test_the_file_of_other_rows_is_not_used(run, column):
    assert kept_questions(run) is not None
    answers = run.answers.copy()
    answers.loc[3, column] = "neutral" if answers.loc[3, "severity"] == "critical" else "critical"
    assert kept_questions(replace(run, answers=answers)) is None


@pytest.mark.parametrize("of", ["rules", "signatures", "format_version"])
def test_the_file_by_other_rules_is_not_used(run, of):
    path = run.path / "questions.parquet"
    table = pq.read_table(path)
    noted = table.schema.metadata[b"maqa_severity"].replace(f'"{of}": '.encode(), f'"{of}": 1, "x{of}": '.encode())
    pq.write_table(table.replace_schema_metadata({b"maqa_severity": noted}), path)
    assert kept_questions(run) is None


def test_the_file_of_a_changed_run_is_not_used(run):
    assert kept_questions(replace(run, changed=("samples.jsonl",))) is None


def test_a_damaged_file_is_named_with_the_way_out(run):
    path = run.path / "questions.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"questions\.parquet") as caught:
        reference_ceilings(run)
    assert f"maqa rescore {run.path}" in caught.value.remedy


def test_scoring_anew_gives_a_run_of_before_the_file_under_its_seal(rescored):
    before, after = map(load_run, rescored)
    assert "questions.parquet" in after.manifest.seal.files and kept_questions(after) is not None
    pd.testing.assert_frame_equal(reference_ceilings(before).frame, reference_ceilings(after).frame)
    assert triaged(before) == triaged(after)


def test_a_changed_file_is_named_by_the_seal_and_a_forged_one_by_verifying(rescored, tmp_path):
    folder = Path(shutil.copytree(rescored[1], tmp_path / "forged"))
    path = folder / "questions.parquet"
    table = pq.read_table(path)
    frame = table.to_pandas().assign(triage_level=3)
    frame.loc[0, "degenerate"] = 100.0
    pq.write_table(pa.Table.from_pandas(frame).replace_schema_metadata(table.schema.metadata), path)
    with pytest.raises(UserError, match=r"questions\.parquet"):
        load_run(folder)
    named = {each.metric for each in verify_run(resealed(folder)).unequal}
    assert named == {"questions.parquet: degenerate", "questions.parquet: triage_level"}
