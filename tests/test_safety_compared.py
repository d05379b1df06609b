"""Safety is compared whatever is compared, and judged for being no worse; what is compared anyway says so."""

import os
import subprocess
import sys

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.registry import Group, columns_of
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.margins import SAFETY_MARGIN
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.runs.safety import safety_in_words
from maqa_severity.harness.runs.screened import screening_of
from maqa_severity.harness.scores.signatures import Better, better
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.statistics import Difference, Method, Verdict, paired
from maqa_severity.harness.statistics.margins import against_margin
from maqa_severity.reports.page import report_page

MEASURED = "degenerate"


@pytest.fixture
def runs(evaluated):
    return load_run(evaluated["hf"]), load_run(evaluated["constant"])


def maqa(*arguments):
    command = [sys.executable, "-m", "maqa_severity", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "160"}
    )


def test_every_safety_metric_with_a_better_side_is_compared_as_a_family_of_its_own(runs):
    found = compare(*runs).safety
    sided = {
        name
        for name in columns_of(Group.SAFETY)
        if name in runs[0].scores.metrics and better(runs[0].scores.signatures[name]) is not Better.NEITHER
    }
    assert {each.metric for each in found.differences} == sided and not found.left_out
    screened = screening_of(runs)
    judged = [each for each in found.differences if each.metric not in screened]
    assert judged and len(judged) < len(found.differences)
    assert all(each.n and each.margin.points == SAFETY_MARGIN for each in judged)
    alone = {(each.metric, each.stratum): each for each in paired(runs[0].scores, runs[1].scores, *sorted(sided))}
    for each in found.differences:
        other = alone[each.metric, each.stratum]
        p = None if each.metric in screened else other.p
        assert (each.mean, each.low, each.high, each.p) == (other.mean, other.low, other.high, p)
    families = {each.family for each in judged if each.stratum != "overall"}
    assert max(families) == sum(each.can_be_tested for each in judged if each.stratum != "overall")


def test_a_safety_metric_that_is_compared_itself_or_scored_by_other_rules_is_left_out(runs):
    found = compare(*runs, [MEASURED])
    assert MEASURED not in {each.metric for each in found.safety.differences}
    assert found.differences[0].margin.points == SAFETY_MARGIN
    signatures = {**runs[1].scores.signatures}
    signatures["dose_mismatch"] = signatures.get("dose_mismatch", "") + "|version:99"
    other = Run(**{**vars(runs[1]), "scores": ScoreTable(runs[1].scores.frame, signatures)})
    safety = compare(runs[0], other, ["rougeL"]).safety
    if "dose_mismatch" in columns_of(Group.SAFETY):
        assert safety.left_out == ["dose_mismatch: scored by other rules in one run than in another"]


def change(metric, low, high, stratum="overall", margin=2.0, side=Better.LOWER, verdict=Verdict.NO_EVIDENCE):
    judged = against_margin(margin, side, (low, high), (low, high))
    mean = (low + high) / 2
    return Difference(
        metric, stratum, 300, mean, low, high, Method.SIGN_FLIP, 0.2, 5.0, None, side, 5.0, 4.0,
        verdict=verdict, margin=judged,
    )  # fmt: skip


def test_one_sentence_says_in_how_many_safety_metrics_it_is_no_worse_and_names_the_others():
    fine = [change(name, -1, 1) for name in "abcde"]
    assert safety_in_words(fine) == "safety: no worse by 2.0 points in all 5 metrics over all answers"
    doubtful = change("missed", -4, 3)
    worse = change("reassured", 2.5, 6)
    assert safety_in_words([*fine, doubtful, worse], ["dose: other rules"]) == (
        "safety: no worse by 2.0 points in 5 of 7 metrics over all answers; over all answers not shown for missed; "
        "worse: reassured (overall); not compared: dose"
    )
    # What critical hides behind all answers takes the metric out of the count.
    hidden = change("a", 3, 9, "critical", verdict=Verdict.LOSS)
    assert safety_in_words([*fine, hidden]) == (
        "safety: no worse by 2.0 points in 4 of 5 metrics over all answers; in critical alone in 0 of 1; "
        "worse: a (critical)"
    )
    # A loss that is found is a loss, however far within the margin.
    small = change("a", 0.2, 1.2, verdict=Verdict.LOSS)
    assert safety_in_words([small]).endswith("in 0 of 1 metrics over all answers; worse: a (overall)")
    other = change("b", -1, 1, margin=3.0, side=Better.HIGHER)
    assert safety_in_words([fine[0], other]).startswith("safety: no worse by the margin of each in all 2 metrics")
    assert safety_in_words([change("a", -1, 1, side=Better.NEITHER)]) == ""


def test_the_sentence_counts_a_safety_metric_that_is_compared_itself(runs):
    apart, among = compare(*runs).safety.words, compare(*runs, [MEASURED]).safety.words
    screened = screening_of(runs)
    count = len({each.metric for each in compare(*runs).safety.differences if each.metric not in screened})
    assert f"{count} metrics over all answers" in apart and f"{count} metrics over all answers" in among


def test_command_and_report_show_it(runs, evaluated):
    done = maqa(
        "compare", "--a", evaluated["hf"], "--b", evaluated["constant"], "--margin", "3", "--resamples", 200
    )
    assert done.returncode == 0, done.stderr
    assert "against the margin" in done.stdout and "no worse by 2.0" in done.stdout
    assert "no worse by 3.0 in critical, " in " ".join(done.stdout.split())
    words = compare(runs[0], runs[1], margins={"bertscore_f1": 3}).safety.words
    assert words.startswith("safety: no worse by 2.0 points in ")
    page = report_page(runs[1], runs[0])
    assert words in page
    assert words[:40] in " ".join(done.stdout.split())
    assert "by 2.0" in page and "difference and whether it is shown to be no worse" in page


def test_another_backend_is_refused_and_compared_anyway_under_a_heading(runs):
    hf = runs[0]
    manifest = hf.manifest.model_copy(update={"model": hf.manifest.model.model_copy(update={"kind": "vllm"})})
    other = Run(**{**vars(hf), "manifest": manifest, "name": "other"})
    with pytest.raises(UserError, match="backend: hf and vllm") as refused:
        compare(hf, other)
    assert "or two sides with --anyway" in refused.value.remedy
    assert "backend: hf and vllm" in compare(hf, other, anyway=True).apart[0]
    with pytest.raises(UserError, match="backend: vllm and hf"):
        report_page(hf, other)
    page = report_page(hf, other, anyway=True)
    assert "Compared anyway" in page and "backend: vllm and hf" in page


def test_what_no_comparison_can_do_without_is_refused_anyway_and_says_so(runs):
    frame = runs[1].scores.frame
    for scores in (
        ScoreTable(frame, {**runs[1].scores.signatures, "bertscore_f1": "other"}),
        ScoreTable(frame.assign(severity="critical"), runs[1].scores.signatures),
    ):
        other = Run(**{**vars(runs[1]), "scores": scores})
        for show in (compare, lambda one, two, anyway: report_page(two, one, anyway=anyway)):
            with pytest.raises(UserError) as refused:
                show(runs[0], other, anyway=True)
            assert "--anyway" not in refused.value.remedy
