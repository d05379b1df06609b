"""A judge's scores on board and report: only beside what they stand on, and never of other answers."""

import csv
import io
import json
import shutil

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.languages import language
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.statistics import STRATA, Resampling
from maqa_severity.judges.endpoint import ChatEndpoint
from maqa_severity.judges.judging import By, Wanted, judge_runs
from maqa_severity.judges.reading import read_judged
from maqa_severity.judges.rubric import read_rubric
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_csv, board_page
from maqa_severity.leaderboards.judged import judge_table
from maqa_severity.leaderboards.records import Board
from maqa_severity.ratings.collecting import collect
from maqa_severity.ratings.sheet import read_key
from maqa_severity.reports.page import report_page
from maqa_severity.tests.judging import data_of, obedient, reply, run_of
from maqa_severity.tests.rating import rated
from maqa_severity.tests.serving import chat, serving
from maqa_severity.tests.test_judges import maqa

FEW = Resampling(resamples=200)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [run_of(folder, "ce"), run_of(folder, "severity", lambda row: f"{row['answer'].split('.')[0]}.")]


def judged(folders, out, how=None, behave=obedient, ratings=None, rubric=None):
    criteria, file = read_rubric(rubric, "ar")
    with serving(behave) as server:
        address = server.url.removesuffix("/completions")
        judge = ChatEndpoint({"base_url": address, "model": "m", "num_concurrent": 4}, 0.0, 500, 0)
        runs = [load_run(each) for each in folders]
        judge_runs(runs, By(judge, criteria, file), how or Wanted(), out, FEW, ratings=ratings)
    return out


@pytest.fixture(scope="module")
def unproven(folders, tmp_path_factory):
    return judged(folders, tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module")
def proven(folders, tmp_path_factory):
    sheet = tmp_path_factory.mktemp("sheet")
    collect(folders, sheet / "sheet", kind="answer", questions=15, repeats=0)
    people = rated(
        sheet / "back",
        read_key(sheet / "sheet"),
        lambda rater, each, ask: 100.0 * ((each.sides[0] == "ce") is not ask.lower),
        2,
    )
    liked = set(load_run(folders[0]).answers["prediction"])

    def behave(body, nth):
        return chat(reply(body, ("tone", "next_step") if data_of(body)["answer"] in liked else ("tone",)))

    return judged(folders, sheet / "out", behave=behave, ratings=people)


def test_a_board_shows_the_judges_own_means_and_that_they_are_unproven(folders, unproven):
    runs = [load_run(each) for each in folders]
    board = build_board(runs, resampling=FEW, judged=read_judged(unproven, runs))
    kept = {
        (row["run"], row["stratum"]): row for row in json.loads((unproven / "judge.json").read_text())["summaries"]
    }
    for row in board.rows:
        for stratum in STRATA:
            cell, own = row.judge[stratum], kept[row.name, stratum]
            assert (cell.n, cell.mean, cell.low, cell.high) == (own["n"], own["mean"], own["low"], own["high"])
    assert board.judge.heading.startswith("UNPROVEN judge's score, % by m, 95 % interval: nobody has measured")
    assert judge_table(board).rows[-1] == ("agreement with people", *["never measured"] * len(STRATA))
    page = board_page(board)
    assert "UNPROVEN judge" in page and "say what a model thinks" in page
    line, *_ = csv.DictReader(io.StringIO(board_csv(board)))
    assert float(line["unproven_judge_critical"]) == board.rows[0].judge["critical"].mean
    assert "judge_critical" not in line and line["unproven_judge"].startswith("UNPROVEN")
    assert Board.model_validate(board.model_dump()) == board


def test_the_judge_ranks_nothing(folders, unproven):
    runs = [load_run(each) for each in folders]
    alone = build_board(runs, resampling=FEW)
    beside = build_board(runs, resampling=FEW, judged=read_judged(unproven, runs))
    assert [(row.name, row.rank_low, row.rank_high) for row in alone.rows] == [
        (row.name, row.rank_low, row.rank_high) for row in beside.rows
    ]
    assert alone.judge is None and "judge-scores" not in board_page(alone)
    before = {key: value for key, value in alone.model_dump().items() if key != "judge"}
    rows = [{key: value for key, value in row.items() if key != "judge"} for row in before["rows"]]
    assert Board.model_validate({**before, "rows": rows}) == alone, "boards of before load"


def test_a_judge_that_agrees_with_people_is_shown_beside_that_severity_by_severity(folders, proven):
    runs = [load_run(each) for each in folders]
    board = build_board(runs, resampling=FEW, judged=read_judged(proven, runs))
    assert board.judge.proven and "agrees with people in" in board.judge.heading
    assert "UNPROVEN" not in board_page(board) and "say what a model thinks" not in board_page(board)
    people = json.loads((proven / "judge.json").read_text())["people"]
    for stratum in STRATA:
        row = next(each for each in people if (each["metric"], each["stratum"]) == ("judge", stratum))
        shown = dict(zip(STRATA, judge_table(board).rows[-1][1:], strict=True))[stratum]
        assert shown.startswith(f"{row['pairwise']['value']:.0f} %") and f"of {row['pairwise']['n']} pairs" in shown
    assert board_csv(board).split("\n")[0].count(",judge_critical,") == 1


def test_the_report_shows_both_sides(folders, unproven):
    ours, theirs = load_run(folders[1]), load_run(folders[0])
    page = report_page(ours, theirs, "rougeL", FEW, judge=read_judged(unproven, [ours, theirs]))
    table = page.split('id="judge-scores"')[1].split("</table>")[0]
    assert table.count("<tr>") == 1 + 2 + 1 and "UNPROVEN judge" in page
    assert "judge-scores" not in report_page(ours, theirs, "rougeL", FEW)


def test_a_judgement_of_other_answers_is_refused(folders, unproven, tmp_path):
    changed = run_of(tmp_path, "ce", lambda row: f"{row['answer']}!")
    with pytest.raises(UserError, match="judged other answers of ce than") as refused:
        read_judged(unproven, [load_run(changed)])
    assert "Judge the run again" in refused.value.remedy
    older = shutil.copytree(unproven, tmp_path / "older")
    values = json.loads((older / "judge.json").read_text())
    for each in values["runs"]:
        del each["sha256"]
    (older / "judge.json").write_text(json.dumps(values))
    assert read_judged(older, [load_run(changed)]).tables, "judgements of before say nothing of the answers"


def test_what_cannot_stand_on_a_board_is_one_line(folders, unproven, tmp_path):
    ce, severity = (load_run(each) for each in folders)
    with pytest.raises(UserError, match=r"judge\.json"):
        read_judged(tmp_path, [ce])
    with pytest.raises(UserError, match="two runs are called ce"):
        read_judged(unproven, [ce, ce])
    pairs = judged(folders, tmp_path / "pairs", Wanted(pairs=True))
    with pytest.raises(UserError, match="a judgement of pairs"):
        read_judged(pairs, [ce, severity])
    other = judged(folders[:1], tmp_path / "one")
    with pytest.raises(UserError, match="judged ce, and the runs given are severity"):
        read_judged(other, [severity])
    board = build_board([ce, severity], resampling=FEW, judged=read_judged(other, [ce, severity]))
    assert {row.name: bool(row.judge) for row in board.rows} == {"ce": True, "severity": False}
    (other / "judge_scores.parquet").write_bytes(b"none")
    with pytest.raises(UserError, match="holds no scores of a judge"):
        read_judged(other, [ce])


def test_another_rubric_is_another_signature(folders, unproven, tmp_path):
    shipped = json.loads((language("ar").folder / "rubric.json").read_text(encoding="utf-8"))
    points = shipped["criteria"][0]["points"]
    shipped["criteria"][0]["points"] = {name: value + 1 for name, value in points.items()}
    (tmp_path / "rubric.json").write_text(json.dumps(shipped, ensure_ascii=False), encoding="utf-8")
    other = judged(folders, tmp_path / "other", rubric=str(tmp_path / "rubric.json"))
    runs = [load_run(each) for each in folders]
    boards = [build_board(runs, resampling=FEW, judged=read_judged(each, runs)) for each in (unproven, other)]
    assert (
        boards[0].judge.signature != boards[1].judge.signature and boards[0].judge.rubric != boards[1].judge.rubric
    )


def test_a_trial_counts_the_answers_that_were_judged(folders, tmp_path):
    runs = [load_run(each) for each in folders]
    few = read_judged(judged(folders, tmp_path / "few", Wanted(limit=1)), runs)
    assert few.summaries("ce", FEW)["overall"].n == 3


def test_both_commands_take_it(folders, unproven, tmp_path, capsys):
    code, out, err = maqa(capsys, "leaderboard", *folders, "--judge", unproven, "--out", tmp_path / "board")
    assert code == 0, err
    assert "UNPROVEN judge's score" in out and "never measured" in out
    code, out, err = maqa(
        capsys, "report", folders[0], "--judge", unproven, "--metric", "rougeL", "--out", tmp_path / "report.html"
    )
    assert code == 0 and "judge-scores" in (tmp_path / "report.html").read_text(encoding="utf-8"), err
    code, _, err = maqa(capsys, "leaderboard", *folders, "--judge", tmp_path, "--out", tmp_path / "none")
    assert code == 2 and "judge.json" in err and not (tmp_path / "none").exists()
