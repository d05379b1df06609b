"""`maqa verify` computes every number again from the saved answers, and names the one that is another."""

import json
import shutil
from pathlib import Path

import pytest
from maqa_severity import cli
from maqa_severity.harness.core.files import write_json
from maqa_severity.harness.core.sealing import with_seal
from maqa_severity.harness.evaluation.verifying import is_encoded, is_exact, verify_run
from maqa_severity.harness.metrics.scoring import run_metrics
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.scores.table import read_scores, write_scores
from maqa_severity.harness.statistics import Resampling
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import write_board
from maqa_severity.tests.sealing import resealed

LANDED = Path(__file__).parent / "data" / "landed"
CASE_STUDY = Path(__file__).parents[1] / "docs" / "case-study" / "quick-seed-0"
FEW = Resampling(resamples=200)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two sealed runs that were scored without an encoder, and their board."""
    root = tmp_path_factory.mktemp("verified")
    for name in ("ce", "severity"):
        folder = Path(shutil.copytree(LANDED / "runs" / name, root / "runs" / name))
        rescore(resealed(folder), lambda language: run_metrics(language, "none"))
    write_board(root / "board", board_of(root))
    return root


def board_of(root):
    return build_board([load_run(root / "runs" / name) for name in ("ce", "severity")], "rougeL", FEW)


@pytest.fixture
def copy(world, tmp_path):
    return Path(shutil.copytree(world, tmp_path / "copy"))


@pytest.fixture
def verify(monkeypatch, capsys, tmp_path):
    def ask(*places):
        file = tmp_path / "verified.json"
        monkeypatch.setattr("sys.argv", ["maqa", "verify", *map(str, places), "--json", str(file)])
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        said = capsys.readouterr()
        found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        return code, " ".join((said.out + said.err).split()), found

    return ask


def forged(folder, metric, row, by):
    scores = read_scores(folder / "scores.parquet")
    scores.frame.loc[row, metric] += by if scores.frame.loc[row, metric] < 50 else -by
    write_scores(folder / "scores.parquet", scores)
    return resealed(folder), str(scores.frame["id"][row]), str(scores.frame["severity"][row])


def test_runs_and_their_board_are_equal(world, verify):
    code, said, found = verify(world / "board", world / "runs" / "ce")
    assert (code, found["equal"]) == (0, True), said
    assert [each["equal"] for each in found["of"]] == [True, True, True] and "NOT EQUAL" not in said
    assert found["of"][0]["numbers"] > 500 and found["of"][2]["numbers"] > 100


@pytest.mark.parametrize(("metric", "by"), [("rougeL", 0.001), ("chrf", 20.0), ("degenerate", 100.0)])
def test_a_forged_score_with_a_seal_of_its_own_is_named(copy, verify, metric, by):
    folder, row, severity = forged(copy / "runs" / "ce", metric, 2, by)
    load_run(folder)
    code, said, found = verify(folder)
    assert code == 1 and "NOT EQUAL" in said
    (one,) = found["of"][0]["unequal"]
    assert (one["metric"], one["severity"], one["row"], one["rows"]) == (metric, severity, row, 1)
    assert one["stored"] != one["recomputed"] and metric in said


def test_a_forged_answer_with_a_seal_of_its_own_is_named_by_its_scores(copy, verify):
    folder = copy / "runs" / "ce"
    path = next(folder.glob("samples_*severity_critical*"))
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    sample = json.loads(first)
    sample["filtered_resps"] = [sample["doc"]["answer"]]
    path.write_text(json.dumps(sample) + "\n" + rest, encoding="utf-8")
    code, _, found = verify(resealed(folder))
    named = {one["metric"] for one in found["of"][0]["unequal"]}
    assert code == 1 and {"rougeL", "chrf", "generation.parquet"} <= named


def test_a_forged_number_of_a_board_with_a_seal_of_its_own_is_named(copy, verify):
    path = copy / "board" / "leaderboard.json"
    board = json.loads(path.read_text(encoding="utf-8"))
    name = board["rows"][1]["name"]
    board["rows"][1]["metrics"]["rougeL"]["critical"]["mean"] += 1
    write_json(path, with_seal(board))
    code, said, found = verify(path, copy / "runs" / "ce", copy / "runs" / "severity")
    table, one = found["of"][2]["unequal"]
    assert code == 1 and one["metric"] == f"rows.{name}.metrics.rougeL.critical.mean"
    assert table["metric"] == "leaderboard.csv: rougeL_critical" and table["row"] == "row 2"
    assert one["stored"] == pytest.approx(one["recomputed"] + 1)
    write_json(path, {**with_seal(board), "rank": 1} | {"notes": ["mine"]})
    code, said, _ = verify(path)
    assert code == 2 and "rank" in said


def test_a_label_or_row_of_another_dataset_is_named_by_the_fingerprint(copy, verify):
    folder = copy / "runs" / "ce"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["data"]["fingerprint"] = "0" * 64
    write_json(folder / "manifest.json", manifest)
    code, _, found = verify(resealed(folder))
    assert code == 1 and [one["metric"] for one in found["of"][0]["unequal"]] == ["data.fingerprint"]


def test_a_broken_seal_is_not_equal_though_all_numbers_are(copy, verify):
    folder = copy / "runs" / "ce"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    write_json(folder / "manifest.json", {**manifest, "name": "better"})
    code, _, found = verify(folder)
    assert code == 1 and "manifest.json" in found["of"][0]["unequal"][0]["metric"]


def test_an_encoder_that_is_not_at_hand_is_said_and_the_rest_verified(verify):
    code, said, found = verify(LANDED / "runs" / "ce")
    assert any("--bertscore-model" in each for each in found["of"][0]["left_out"]) and "not verified" in said
    assert found["of"][0]["numbers"] > 0 and code in (0, 1)


def test_what_is_no_run_or_lacks_one_is_told_in_one_line(copy, verify, tmp_path):
    assert verify(tmp_path / "nowhere")[0] == 2
    shutil.rmtree(copy / "runs" / "severity")
    alone = Path(shutil.copytree(copy / "board", tmp_path / "alone" / "board"))
    board = json.loads((alone / "leaderboard.json").read_text(encoding="utf-8"))
    for row in board["rows"]:
        row["path"] = "gone"
    write_json(alone / "leaderboard.json", with_seal(board))
    code, said, _ = verify(alone)
    assert code == 2 and "were not found" in said and "maqa verify" in said


@pytest.mark.slow
def test_runs_of_a_model_are_equal_with_their_encoder(evaluated):
    for folder in evaluated.values():
        found = verify_run(folder)
        assert found.equal and not found.left_out, found
    assert is_encoded("bertscore_f1") and is_exact("degenerate") and not is_exact("rougeL")


def test_a_folder_of_an_experiment_is_its_runs_and_its_boards(copy, verify):
    write_json(copy / "experiment.json", {"name": "study"})
    code, said, found = verify(copy)
    assert code == 0, said
    assert [each["name"] for each in found["of"]] == ["ce", "severity", "board by rougeL"]


def test_of_a_board_whose_runs_were_not_kept_the_files_are_held_against_each_other(tmp_path, verify):
    study = Path(shutil.copytree(CASE_STUDY, tmp_path / "study"))
    code, said, found = verify(study)
    assert code == 2 and "runs are missing" in said and "'nearest'" in said and "were not found" in said
    board, arms = found["of"]
    assert board["equal"] and board["numbers"] > 1000 and board["untold"] and arms["equal"] and arms["untold"]
    table = study / "leaderboard" / "leaderboard.csv"
    table.write_text(table.read_text("utf-8").replace("54.31224837224982", "64.31224837224982"), "utf-8")
    code, said, found = verify(study)
    (one,) = found["of"][0]["unequal"]
    assert code == 1 and one["metric"] == "leaderboard.csv: bertscore_f1_critical" and one["row"] == "row 1"
