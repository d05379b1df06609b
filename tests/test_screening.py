"""Cards that cannot flatter: by author, first seen beside today, and what they say of every detector decides alone
whether it can bear a verdict."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from maqa_severity import cli
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.registry import COLUMNS, Group, columns_of, gates
from maqa_severity.harness.metrics.safety.card import Detector, SafetyCard, pooled, safety_card
from maqa_severity.harness.metrics.scoring import safety_metrics, signatures
from maqa_severity.harness.metrics.screening import RULE, screening, why_screening
from maqa_severity.harness.runs.analysis import Analysis
from maqa_severity.harness.runs.claim import Claim, Leg
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.declaring import compare_declared
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.statistics import OVERALL, Verdict
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_csv, board_page
from maqa_severity.leaderboards.records import Board
from maqa_severity.reports.page import report_page
from maqa_severity.tests import gold_authors
from maqa_severity.tests.gold_authors import FIRST_AUTHOR, THIRD_REAL, authors
from maqa_severity.tests.later_gold import ENGLISH_SECOND
from maqa_severity.tests.safety_card import held_out_card
from maqa_severity.tests.third_gold import is_development
from maqa_severity.tests.tongues import ARABIC, ENGLISH

DATA = Path(__file__).parent / "data"


@pytest.fixture
def runs(evaluated):
    return load_run(evaluated["hf"]), load_run(evaluated["constant"])


def card_with(monkeypatch, **figures: Detector) -> SafetyCard:
    """Let the language's card have these figures of other authors, and no more."""
    card = safety_card(ARABIC).model_copy(update={"other_author": figures})
    monkeypatch.setattr("maqa_severity.harness.metrics.screening.safety_card", lambda language: card)
    return card


def counts(hits, false, misses, n=500):
    return Detector(n=n, true_positives=hits, false_positives=false, misses=misses)


def test_a_detector_is_for_screening_by_one_rule():
    assert why_screening(counts(90, 5, 5)) == ""
    assert (
        why_screening(None) == why_screening(counts(0, 0, 0, n=0)) == "never measured on answers of other authors"
    )
    assert why_screening(counts(70, 30, 5)) == "precision 70 [60, 78] %"
    # 80 % in a hundred suffice, 79 do not; 85 % of twenty are too few answers to say 65.
    assert why_screening(counts(80, 20, 0)) == "" and why_screening(counts(79, 21, 0)).startswith("precision 79")
    assert why_screening(counts(17, 0, 3)) == "recall 85 [64, 95] %"
    assert "recall never measured" in why_screening(counts(0, 4, 0))
    assert "precision never measured" in why_screening(counts(0, 0, 4))


def test_the_card_alone_decides_and_nothing_is_listed_by_hand(monkeypatch):
    card_with(monkeypatch, degenerate=counts(5, 5, 5), off_topic=counts(95, 2, 3))
    found = screening(ARABIC)
    assert "off_topic" not in found and found["degenerate"].startswith("precision 50")
    assert set(found) == {name for name in COLUMNS if COLUMNS[name].metric.group is Group.SAFETY} - {"off_topic"}
    assert screening(ENGLISH).keys() >= set(columns_of(Group.SAFETY))


def test_scores_by_other_rules_than_the_cards_are_for_screening(monkeypatch):
    installed = signatures(safety_metrics(ARABIC))
    known = next(name for name in columns_of(Group.SAFETY) if name not in screening(ARABIC))
    assert known not in screening(ARABIC, installed)
    assert "other rules" in screening(ARABIC, {known: installed[known] + "|version:99"})[known]
    stale = safety_card(ARABIC).model_copy(update={"lexicon": "lexicon:0"})
    monkeypatch.setattr("maqa_severity.harness.metrics.screening.safety_card", lambda language: stale)
    assert "other rules" in screening(ARABIC)[known]


def test_other_authors_are_the_sum_of_them_and_the_rules_author_is_not_among_them():
    card = safety_card(ARABIC)
    assert card.other_author == pooled(each.detectors for each in card.authors.values() if each.unseen)
    assert [name for name, each in card.authors.items() if not each.unseen] == [FIRST_AUTHOR]
    assert card.other_author["degenerate"].n < card.detectors["degenerate"].n
    assert card.answers == sum(each.answers for each in card.authors.values())
    english = safety_card(ENGLISH)
    assert english.other_author == english.authors[ENGLISH_SECOND.name].detectors and english.own["degenerate"].n


def test_no_development_row_stands_in_the_card():
    for each in authors(ARABIC):
        assert all(row["half"] == "held_out" for row in each.rows)
        assert each.name not in (gold_authors.THIRD, THIRD_REAL) or not any(map(is_development, each.rows))


def test_the_second_authors_first_seen_counts_are_those_of_the_table():
    kept = json.loads((DATA / "first_seen_second.json").read_text())["detectors"]
    table = (DATA / "gold_answers.md").read_text(encoding="utf-8").split("as first seen")[1].split("After that")[0]
    rows = re.findall(r"\| `(\w+)` \| (\d+) \| (\d+) \| (.*?) \| (.*?) \|", table)
    assert {row[0] for row in rows} == set(kept)
    for column, n, events, precision, recall in rows:
        detector = Detector(**kept[column])
        assert (detector.n, detector.true_positives + detector.misses) == (int(n), int(events))
        assert (str(detector.precision), str(detector.recall)) == (precision, recall)


def test_dialects_are_of_other_authors_written_answers():
    card = safety_card(ARABIC)
    written = [each for name, each in card.authors.items() if each.unseen and name != THIRD_REAL]
    for column in columns_of(Group.SAFETY):
        most = sum(each.detectors[column].n for each in written if column in each.detectors)
        assert 0 < sum(part[column].n for part in card.dialects.values() if column in part) <= most
    assert {"msa", "egyptian", "gulf", "levantine", "maghrebi"} <= set(card.dialects)


def test_real_answers_stay_as_they_were_where_their_texts_are_absent(tmp_path, monkeypatch):
    earlier = safety_card(ARABIC)
    nowhere = tmp_path / "none.xlsx"
    assert held_out_card(ARABIC, nowhere) == earlier
    other = earlier.model_copy(update={"dangers": "dangers:0"})
    monkeypatch.setattr("maqa_severity.tests.safety_card.safety_card", lambda language: other)
    real = held_out_card(ARABIC, nowhere).authors[THIRD_REAL]
    assert not real.answers and not real.detectors and real.first_seen == earlier.authors[THIRD_REAL].first_seen


def test_a_card_of_before_still_loads_and_is_judged_by_its_other_authors(monkeypatch):
    values = {
        key: value for key, value in safety_card(ARABIC).model_dump().items() if key not in ("authors", "dialects")
    }
    card = SafetyCard.model_validate(values)
    assert card.first_seen == {} and card.other_author == safety_card(ARABIC).other_author
    expected = screening(ARABIC)
    monkeypatch.setattr("maqa_severity.harness.metrics.screening.safety_card", lambda language: card)
    assert screening(ARABIC) == expected


def test_what_is_for_screening_is_shown_and_decides_nothing(runs, monkeypatch):
    card_with(monkeypatch, degenerate=counts(95, 2, 3), over_triage=counts(95, 2, 3))
    found = compare(*runs, ["rougeL", "urgent_referral"])
    assert found.screening["urgent_referral"] and "degenerate" not in found.screening
    assert found.words["urgent_referral"].startswith("screening only, so no verdict: critical ")
    for each in found.differences:
        screened = each.metric == "urgent_referral"
        assert (each.verdict is Verdict.SCREENING) is screened
        assert not screened or (each.p, each.p_holm, each.margin, each.family) == (None, None, None, 0)
    alone = compare(*runs, ["rougeL"])
    assert [each for each in found.differences if each.metric == "rougeL"] == alone.differences, "no place in Holm"
    assert found.family == alone.family and [each.metric for each in found.interactions] == ["rougeL"]
    judged = {each.metric for each in found.safety.differences if each.margin}
    assert judged == {"degenerate", "over_triage"}
    assert "of 2 metrics" in found.safety.words or "in all 2 metrics" in found.safety.words
    assert "screening only: urgent_referral, missed_emergency" in found.safety.words
    assert json.loads(json.dumps(found.as_json(), default=str))["screening"] == found.screening


def test_nothing_is_claimed_by_a_detector_for_screening(runs, monkeypatch):
    card_with(monkeypatch)
    change = compare(*runs, ["degenerate"]).difference("degenerate", OVERALL)
    claim = Claim("severity balanced", "degenerate", OVERALL, (Leg("ce", change, (3, 3)),))
    assert claim.holds is None and str(claim).endswith("degenerate is screening only")
    gained = replace(change, verdict=Verdict.GAIN)
    assert Claim("severity balanced", "degenerate", OVERALL, (Leg("ce", gained, (3, 3)),)).holds


@pytest.mark.parametrize("role", ["primary", "secondary"])
def test_an_analysis_that_declares_it_is_refused(runs, monkeypatch, role):
    card_with(monkeypatch, over_triage=counts(95, 2, 3))
    metrics = ["off_topic", "rougeL"] if role == "primary" else ["rougeL", "off_topic"]
    analysis = Analysis(primary=metrics[0], secondary=metrics[1:], margin={"off_topic": 2})
    with pytest.raises(
        UserError, match="the analysis declares off_topic, which is screening only: never"
    ) as refused:
        compare_declared(*runs, metrics, analysis, 1)
    assert "maqa doctor --detectors" in refused.value.remedy


def test_a_board_cannot_rank_by_it_and_marks_it_everywhere(runs, monkeypatch):
    card_with(monkeypatch, degenerate=counts(95, 2, 3))
    with pytest.raises(UserError, match="a board cannot rank by off_topic, which is screening only"):
        build_board(runs, "off_topic")
    board = build_board(runs)
    assert "off_topic" in board.screening and "degenerate" not in board.screening
    page = board_page(board)
    assert "off_topic (screening only)" in page and "degenerate (screening only)" not in page
    assert "rests on what is for screening only: missed_emergency" in page and "so no verdict" in page
    assert board_csv(board).splitlines()[0].count("screening_only") == 1 and "off_topic; " in board_csv(board)
    assert Board.model_validate(board.model_dump()) == board
    before = {key: value for key, value in board.model_dump().items() if key != "screening"}
    assert "screening only" not in board_page(Board.model_validate(before))


def test_the_report_marks_it_beside_the_reason(runs, monkeypatch):
    card_with(monkeypatch, degenerate=counts(95, 2, 3))
    page = report_page(runs[1], runs[0])
    table = page.split('id="safety-table"')[1].split("</table>")[0]
    row = table.split("<code>off_topic</code>")[1].split("</tr>")[0]
    assert "screening only" in row and "never measured on answers of other authors" in row
    assert "screening only" not in table.split("<code>degenerate</code>")[1].split("</tr>")[0]
    assert (RULE[:1].upper() + RULE[1:]).replace("'", "&#39;") in page
    assert "off_topic is for screening only" in report_page(runs[1], runs[0], "off_topic")


def test_where_every_detector_can_bear_a_verdict_nothing_is_marked(runs, monkeypatch):
    every = {name: counts(95, 2, 3) for name in COLUMNS if COLUMNS[name].metric.group is Group.SAFETY}
    card_with(monkeypatch, **every)
    page = report_page(runs[1], runs[0]) + board_page(build_board(runs))
    # The glossary and what scripts may say are there on every page.
    shown = re.sub(r"<script.*?</script>|<details id=.glossary.*?</details>", "", page, flags=re.DOTALL)
    assert "screening only" not in shown.lower()
    assert set(gates()) <= set(every)


def test_a_run_of_plain_lm_eval_has_no_detector_to_mark(runs):
    bare = Run(
        **{
            **vars(runs[0]),
            "scores": ScoreTable(
                runs[0].scores.frame[["id", "severity", "rougeL"]], {"rougeL": runs[0].scores.signatures["rougeL"]}
            ),
        }
    )
    assert build_board([bare], "rougeL").screening == {}


def maqa(capsys, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["maqa", *map(str, arguments)])
        patch.setenv("COLUMNS", "200")
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
    return code, *capsys.readouterr()


def test_the_terminal_shows_the_card_by_author_dialect_first_seen_and_today(tmp_path, capsys):
    code, out, _ = maqa(capsys, "doctor", "--detectors", "--json", tmp_path / "card.json")
    assert code == 0
    card, known = safety_card(ARABIC), screening(ARABIC)
    part = out.split("urgent_referral")[1].split("missed_emergency")[0]
    for figures in (card.other_author, card.first_seen, card.authors["second"].first_seen, card.dialects["gulf"]):
        recall = figures["urgent_referral"].recall
        assert f"{recall} of {recall.n}" in part
    lines = [" ".join(line.split()) for line in part.splitlines()]
    assert any("third, real answers first seen 18" in line for line in lines)
    assert any("project, who wrote the rules today" in line for line in lines)
    assert out.count("screening only") == len([name for name in columns_of(Group.SAFETY) if name in known])
    kept = json.loads((tmp_path / "card.json").read_text())
    assert (
        kept["screening"] == known
        and SafetyCard.model_validate(
            {key: value for key, value in kept.items() if key not in ("screening", "language")}
        )
        == card
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--detectors", "runs"], "--detectors looks into no folder"),
        (["--language", "ar"], "--language is for --detectors"),
        (["--detectors", "--language", "xx"], "unknown language 'xx'"),
    ],
)
def test_options_of_the_card_that_make_no_sense_are_one_line(given, says, capsys):
    code, _, err = maqa(capsys, "doctor", *given)
    assert code == 2 and says in err and "Traceback" not in err


def test_terminal_and_help_name_no_detector_for_screening_without_saying_so(evaluated, tmp_path, capsys):
    run = shutil.copytree(evaluated["constant"], tmp_path / "run")
    known = screening(ARABIC)
    code, out, _ = maqa(
        capsys,
        "compare",
        "--a",
        evaluated["hf"],
        "--b",
        evaluated["constant"],
        "--metric",
        "off_topic",
        "--resamples",
        200,
    )
    assert (
        code == 0
        and "off_topic (screening only), percent" in out
        and f"off_topic: {known['off_topic']}" in " ".join(out.split())
    )
    code, out, _ = maqa(capsys, "rescore", run, "--bertscore-model", "none")
    assert code == 0 and RULE.split(":")[0] in out
    rows = [line for line in out.splitlines() if any(f" {name} " in line for name in columns_of(Group.SAFETY))]
    for line in rows:
        name = next(name for name in columns_of(Group.SAFETY) if f" {name} " in line)
        assert ("(screening only)" in line) == (name in known), line
    _, out, _ = maqa(capsys, "report", "--help")
    shown = out.split("in Arabic:")[1].split("For screening")[0].replace("\n", " ").split()
    assert [each.strip(",") for each in shown] == [name for name in columns_of(Group.SAFETY) if name in known]
