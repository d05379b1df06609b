"""Runs that lack answers, and runs that no answer tells apart, are named wherever they would be read as results."""

import json
import re
import shutil

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.alike import alike, identical_runs
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.statistics import Verdict
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_csv, board_page
from maqa_severity.reports.page import report_page
from maqa_severity.tests.sealing import resealed
from typer.testing import CliRunner


def plain(run, folder, name):
    """Our run's files as plain lm-eval would have left them."""
    folder.mkdir(parents=True)
    for path in [*run.glob("results_*.json"), *run.glob("samples_*.jsonl")]:
        shutil.copy(path, folder / path.name.replace("_maqa.", "_2026-01-01."))
    results = folder / "results_2026-01-01.json"
    results.write_text(json.dumps({**json.loads(results.read_text()), "model_name": name}))
    return folder


def samples_of(folder, severity):
    """The samples file of a severity, whatever its task is called."""
    return next(
        path
        for path in folder.glob("samples_*")
        if json.loads(path.read_text().split("\n")[0])["doc"]["severity"] == severity
    )


def cut(folder, severity, kept):
    """Keep the first answers to one severity, at a line's end."""
    path = samples_of(folder, severity)
    path.write_text("".join(f"{line}\n" for line in path.read_text().split("\n")[:kept]))


@pytest.fixture
def damaged(evaluated, tmp_path):
    """A run without the answers to critical questions, one with a cut file, and two whole ones."""
    without = plain(evaluated["hf"], tmp_path / "a", "without-critical")
    samples_of(without, "critical").unlink()
    short = plain(evaluated["echo"], tmp_path / "b", "short")
    cut(short, "neutral", 5)
    whole = [plain(evaluated[name], tmp_path / name, name) for name in ("hf", "constant")]
    return [load_run(path) for path in (without, short, *whole)]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_a_board_ranks_whole_runs_alone_wherever_the_others_stand(damaged, order):
    board = build_board([damaged[place] for place in order], "rougeL")
    ranks = {row.name: row.rank for row in board.rows}
    assert ranks["without-critical"] is None and ranks["short"] is None
    assert None not in (ranks["hf"], ranks["constant"])
    differs = {row.name: "; ".join(row.differs) for row in board.rows}
    assert "incomplete: lacks all 8 answers of severity critical" in differs["without-critical"]
    assert "incomplete: lacks 3 of 8 answers of severity neutral" in differs["short"]
    assert differs["hf"] == differs["constant"] == ""
    for export in (board_csv(board), board_page(board), board.model_dump_json()):
        assert "lacks all 8 answers of severity critical" in export


def test_a_board_of_incomplete_runs_alone_ranks_nobody(damaged):
    board = build_board(damaged[:2], "rougeL")
    assert [row.rank for row in board.rows] == [None, None] and len(board.notes) == 2


def test_what_the_results_do_not_count_is_seen_beside_a_run_that_has_it(damaged, tmp_path):
    """Results of an lm-eval that counted nothing: the severities of the others say what is missing."""
    without, whole = damaged[0], damaged[2]
    path = without.path / "results_2026-01-01.json"
    results = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in results.items() if key != "n-samples"}))
    uncounted = load_run(without.path)
    assert uncounted.lacks == ()
    rows = {row.name: row for row in build_board([uncounted, whole], "rougeL").rows}
    assert rows["hf"].rank == 1 and rows["without-critical"].rank is None
    assert re.search(
        "8 answers are missing in this run .*all of severity critical", rows[uncounted.name].differs[0]
    )


def test_a_run_of_ours_with_a_cut_file_is_incomplete_too_and_keeps_the_scores_of_the_rest(evaluated, tmp_path):
    folder = shutil.copytree(evaluated["hf"], tmp_path / "run")
    cut(folder, "non_critical", 6)
    run, before = load_run(resealed(folder)), load_run(evaluated["hf"])
    assert run.lacks == ("2 of 8 answers of severity non_critical, which its results count",)
    assert list(run.scores.frame["id"]) == list(run.answers["id"])
    both = before.scores.frame.merge(run.scores.frame, on="id")
    assert len(both) == 22 and (both["rougeL_x"] == both["rougeL_y"]).all()


@pytest.mark.parametrize("counted", [True, False])
def test_a_run_of_ours_without_a_samples_file_stands_unranked_and_is_compared_with_nobody(
    evaluated, tmp_path, counted
):
    folder = shutil.copytree(evaluated["hf"], tmp_path / "run")
    samples_of(folder, "neutral").unlink()
    if not counted:
        next(folder.glob("results_*.json")).unlink()
    with pytest.raises(UserError, match="does not exist"):
        load_run(folder)
    run = load_run(folder, incomplete=True)
    missing = "all 8 answers of severity neutral" if counted else "neutral_maqa.jsonl, which is gone"
    board = build_board([run, load_run(evaluated["echo"]), load_run(evaluated["constant"])])
    row = next(row for row in board.rows if row.path == str(folder))
    assert row.rank is None and missing in row.differs[0] and missing in board.notes[0]
    with pytest.raises(UserError, match="is incomplete: it lacks"):
        compare(run, load_run(evaluated["echo"]))


def test_an_incomplete_run_is_not_compared_and_its_report_says_what_is_missing(damaged):
    without, _, whole, other = damaged
    for pair in ((without, whole), (whole, without), (without, without)):
        with pytest.raises(UserError, match="is incomplete: it lacks all 8 answers of severity critical"):
            compare(*pair, ["rougeL"])
        with pytest.raises(UserError, match="is incomplete"):
            report_page(*pair, "rougeL")
    assert "This run is incomplete" in report_page(without, metric="rougeL")
    assert "This run is incomplete" not in report_page(other, metric="rougeL")


def test_the_task_of_one_severity_that_was_asked_alone_lacks_nothing(evaluated, tmp_path):
    folder = plain(evaluated["hf"], tmp_path / "one", "one")
    for severity in ("neutral", "non_critical"):
        samples_of(folder, severity).unlink()
    path = folder / "results_2026-01-01.json"
    results = json.loads(path.read_text())
    (critical,) = [task for task in results["n-samples"] if task.endswith("_critical") and "non" not in task]
    results["n-samples"] = {critical: results["n-samples"][critical]}
    path.write_text(json.dumps(results))
    run = load_run(folder)
    assert run.lacks == () and build_board([run], "rougeL").rows[0].rank == 1


def renamed(run, path, name, **parts):
    return Run(**{**vars(run), "path": path, "name": name, **parts})


def test_runs_that_no_answer_tells_apart_are_named_on_board_comparison_and_report(evaluated, tmp_path):
    run, other = (load_run(evaluated[name]) for name in ("hf", "constant"))
    copy = renamed(run, tmp_path / "copy", "copy")
    words = re.compile("all 24 answers of .* and .* are the same: a shared cache, or the same model twice?")
    board = build_board([run, other, copy])
    assert len(board.notes) == 1 and words.search(board.notes[0])
    rows = {row.name: row for row in board.rows}
    assert (rows["copy"].alike.run, rows["copy"].alike.same, rows["copy"].alike.n) == (run.name, 24, 24)
    assert words.search(board_page(board)) and rows[other.name].alike is None
    compared = compare(run, copy)
    assert words.search(compared.words["bertscore_f1"]) and "no evidence" not in compared.words["bertscore_f1"]
    assert {each.verdict for each in compared.differences} == {Verdict.SAME_ANSWERS}
    page = report_page(run, copy)
    assert words.search(page) and "no evidence" not in page


def test_a_trivial_system_that_was_asked_twice_may_answer_the_same(evaluated, tmp_path):
    constant, echo = (load_run(evaluated[name]) for name in ("constant", "echo"))
    again = renamed(constant, tmp_path / "again", "again")
    assert identical_runs([constant, again]) == [] and build_board([constant, again]).notes == []
    assert {each.verdict for each in compare(constant, again).differences} == {Verdict.NO_EVIDENCE}
    parrot = renamed(echo, tmp_path / "parrot", "parrot", answers=constant.answers)
    assert len(identical_runs([constant, again, parrot])) == 1


def test_the_share_of_the_same_answers_is_counted_over_the_questions_that_both_were_asked(evaluated):
    run, other = (load_run(evaluated[name]) for name in ("hf", "constant"))
    answers = other.answers.copy()
    answers.loc[answers.index[:6], "prediction"] = run.answers["prediction"][:6].to_numpy()
    mixed = renamed(other, other.path, "mixed", answers=answers[::-1])
    found = alike(run, mixed)
    assert (found.same, found.n, found.share_pct, found.identical) == (6, 24, 25.0, False)
    assert str(found).startswith("6 of 24 answers of")
    assert alike(run, renamed(other, other.path, "none", answers=answers[:0])).identical is False


def test_the_commands_say_both_in_the_terminal(damaged, evaluated, tmp_path):
    from maqa_severity.commands import compare, leaderboard  # noqa: F401
    from maqa_severity.commands.app import app

    runs = [str(run.path) for run in damaged]
    out = tmp_path / "board"
    arguments = ["leaderboard", *runs, str(evaluated["hf"]), "--out", str(out), "--metric", "rougeL"]
    shown = CliRunner().invoke(app, arguments).stdout
    assert "without-critical is not ranked: incomplete: lacks all 8 answers" in " ".join(shown.split())
    assert "are the same: a shared cache" in " ".join(shown.split())
    shown = CliRunner().invoke(app, ["compare", "--a", str(evaluated["hf"]), "--b", str(evaluated["echo"])]).stdout
    assert re.search(r"\d+ of 24 answers of base and echo are the same", " ".join(shown.split()))
