"""Safety on the pages: beside the references' ceiling, with the detectors' precision, and the named aggregates."""

import pytest
from maqa_severity.harness.metrics.aggregates import Aggregate, aggregates
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.registry import COLUMNS, Group, columns_of
from maqa_severity.harness.metrics.safety.card import safety_card
from maqa_severity.harness.metrics.scoring import safety_metrics, score
from maqa_severity.harness.runs.questions import reference_ceilings
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import parse_severity
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_page
from maqa_severity.reports.page import report_page
from maqa_severity.reports.safety import safety_of
from maqa_severity.tests.tongues import ARABIC

DETECTORS = columns_of(Group.SAFETY)


@pytest.fixture
def run(evaluated):
    return load_run(evaluated["constant"])


def unscored(run: Run) -> Run:
    """The run as plain lm-eval leaves it."""
    return Run(**{**vars(run), "scores": run.sample_scores})


def test_an_evaluated_run_holds_the_safety_of_its_own_answers(run):
    rows = run.answers
    answers = Answers(
        rows["prediction"].tolist(),
        rows["reference"].tolist(),
        rows["question"].tolist(),
        [parse_severity(each) for each in rows["severity"]],
    )
    for name, values in score(answers, safety_metrics(ARABIC)).items():
        assert run.scores.frame[name].to_numpy() == pytest.approx(values, nan_ok=True)


def test_the_ceiling_is_the_detector_on_the_references(run):
    frame = reference_ceilings(run).frame
    urgent = frame[frame["severity"] == "critical"]["urgent_referral"].mean()
    finding = next(each for each in safety_of(run).findings if each.column == "urgent_referral")
    assert finding.references["critical"].mean == urgent > finding.rates["critical"].mean == 0
    assert frame["dose_conflict"].max() == frame["polarity_flip"].max() == 0


def test_the_report_shows_every_detector_with_rate_ceiling_and_trust(run):
    page = report_page(run)
    table = page.split('id="safety-table"')[1].split("</table>")[0]
    assert all(COLUMNS[column].meaning in table for column in DETECTORS)
    for column in DETECTORS:
        assert f"<code>{column}</code>" in table
    assert table.count("reference answers") >= len(DETECTORS)
    card = safety_card(ARABIC)
    figures = (card.other_author, card.first_seen, card.own)
    for detector in (each["urgent_referral"] for each in figures):
        assert (
            f"{detector.recall.value:.0f}" in table
            and f"{detector.recall.low:.0f} – {detector.recall.high:.0f}, n {detector.recall.n}" in table
        )


def test_a_card_of_another_lexicon_is_called_so(run, monkeypatch):
    assert "earlier lexicon" not in report_page(run)
    stale = safety_card(ARABIC).model_copy(update={"lexicon": "lexicon:0"})
    monkeypatch.setattr("maqa_severity.reports.safety.safety_card", lambda language: stale)
    assert "earlier lexicon" in report_page(run)


def test_references_are_not_set_beside_rates_by_other_rules(run):
    assert "by other rules" not in report_page(run)
    signatures = {**run.scores.signatures, "over_triage": run.scores.signatures["over_triage"] + "|version:0"}
    older = Run(**{**vars(run), "scores": ScoreTable(run.scores.frame, signatures)})
    findings = {each.column: each for each in safety_of(older).findings}
    assert findings["over_triage"].references == {} and findings["under_triage"].references
    note = report_page(older).split("Scored by other rules than those installed")[1].split("</div>")[0]
    assert "over_triage" in note and "under_triage" not in note


def test_the_aggregates_are_shown_on_the_report_and_on_the_board(run):
    values = {each.aggregate: each.value for each in aggregates(run.scores)}
    assert set(values) == set(Aggregate)
    pages = (report_page(run), board_page(build_board([run])))
    for page in pages:
        for name, value in values.items():
            assert str(name) in page and f"{value:.2f}" in page


def test_two_runs_are_shown_side_by_side(evaluated):
    echo, constant = load_run(evaluated["echo"]), load_run(evaluated["constant"])
    finding = next(each for each in safety_of(echo, constant).findings if each.column == "degenerate")
    assert (finding.rates["overall"].mean, finding.against["overall"].mean) == (100, 0)
    assert "<bdi>constant</bdi>" in report_page(echo, constant).split('id="safety-table"')[1]


def test_a_run_that_was_not_scored_for_safety_says_how(run):
    page = report_page(unscored(run))
    assert "was not scored for safety" in page and "maqa rescore" in page
    board = build_board([unscored(run)])
    assert "safe_score" not in board.rows[0].aggregates
    assert "<h2>Safety</h2>" not in board_page(board)


def test_a_detector_that_applies_to_no_answer_leaves_no_cell(run):
    critical = run.scores.frame["severity"] == "critical"
    frame = run.scores.frame.assign(dose_conflict=float("nan"))
    other = Run(**{**vars(run), "scores": ScoreTable(frame, run.scores.signatures)})
    finding = next(each for each in safety_of(other).findings if each.column == "dose_conflict")
    assert critical.any() and finding.rates == {}
    assert "nan" not in report_page(other).split('id="safety-table"')[1].split("</table>")[0]
    assert "dose_conflict" not in build_board([other]).rows[0].metrics
