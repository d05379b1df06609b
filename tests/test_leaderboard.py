"""The board: who is ranked, who is tied, who cannot be compared, and what the three files say."""

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest
from maqa_severity.commands.leaderboard import print_board
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.aggregates import aggregates
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.statistics import Resampling, summarise
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_csv, board_page, write_board
from maqa_severity.leaderboards.published import published_table
from maqa_severity.leaderboards.records import Ranks
from maqa_severity.tests.test_groups import trained as trained_copy
from rich.console import Console


@pytest.fixture
def runs(evaluated):
    return [load_run(path) for path in evaluated.values()]


def changed(run: Run, path, name=None, **scores) -> Run:
    """The run under another path with other scores."""
    frame = run.scores.frame.assign(**scores)
    table = ScoreTable(frame, run.scores.signatures)
    return Run(**{**vars(run), "path": path, "name": name or run.name, "scores": table})


def test_rows_are_ordered_by_the_overall_mean_of_the_metric(runs):
    board = build_board(runs)
    means = [row.cell("bertscore_f1", "overall").mean for row in board.rows]
    assert means == sorted(means, reverse=True)
    assert board.rows[0].rank == 1


def test_each_cell_is_the_mean_of_its_stratum(runs):
    rows = {row.path: row for row in build_board(runs).rows}
    for run in runs:
        row = rows[str(run.path)]
        for severity in ("critical", "neutral", "non_critical"):
            own = run.scores.frame[run.scores.frame["severity"] == severity]
            assert row.cell("rougeL", severity).mean == pytest.approx(own["rougeL"].mean())
            assert row.cell("rougeL", severity).n == 8


def test_each_row_has_the_intervals_that_its_run_has_alone(runs):
    rows = {row.path: row for row in build_board(runs).rows}
    for run in runs:
        for summary in summarise(run.scores):
            cell = rows[str(run.path)].cell(summary.metric, summary.stratum)
            if summary.low is not None:
                assert (cell.low, cell.high) == pytest.approx((summary.low, summary.high))
        for score in aggregates(run.scores):
            cell = rows[str(run.path)].aggregates[score.aggregate]
            assert cell.value == pytest.approx(score.value)
            assert (cell.low is None) == (score.low is None)


def test_where_less_is_better_the_lowest_mean_is_first(runs, tmp_path):
    low, high = np.zeros(24), np.full(24, 100.0)
    good, bad = (
        changed(runs[0], tmp_path / name, name, degenerate=scores)
        for name, scores in (("good", low), ("bad", high))
    )
    board = build_board([bad, good], "degenerate")
    assert [(row.name, row.rank) for row in board.rows] == [("good", 1), ("bad", 2)]
    assert "less is better" in board_page(board) and "less is better" not in board_page(build_board([good]))


def test_a_metric_that_cannot_rank_is_refused(runs, tmp_path):
    with pytest.raises(UserError, match="longer ranks nothing: neither more nor less of it is better"):
        build_board(runs, "longer")
    unscored = changed(runs[0], tmp_path / "x", dose_conflict=np.nan)
    with pytest.raises(UserError, match=r"dose_conflict applies to no answer of run .*x"):
        build_board([unscored], "dose_conflict")


def test_equal_systems_share_a_rank_and_a_clearly_better_one_does_not(runs, tmp_path):
    run = runs[0]
    low = run.scores.frame["bertscore_f1"] * 0.2
    twin, worse = (
        changed(run, tmp_path / "twin", "twin"),
        changed(run, tmp_path / "worse", "worse", bertscore_f1=low),
    )
    board = build_board([worse, run, twin])
    assert {row.name: row.rank for row in board.rows} == {run.name: 1, "twin": 1, "worse": 3}
    shown = {row.name: str(row.ranks) for row in board.rows}
    assert shown == {run.name: "1–2", "twin": "1–2", "worse": "3"}
    lines = list(csv.DictReader(board_csv(board).splitlines()))
    assert {line["name"]: (line["rank"], line["rank_low"], line["rank_high"]) for line in lines} == {
        run.name: ("1–2", "1", "2"),
        "twin": ("1–2", "1", "2"),
        "worse": ("3", "3", "3"),
    }
    assert re.search(r'<td class="number" data-label="rank" [^>]*data-value="1"[^>]*>1–2', board_page(board))
    assert "another training of the same arm may stand elsewhere" in " ".join(board_page(board).split())


def test_the_order_of_the_runs_and_of_their_answers_changes_no_row(runs, tmp_path):
    rng = np.random.default_rng(5)
    hardness = rng.normal(60, 8, len(runs[0].scores.frame))
    several = [
        changed(
            runs[0],
            tmp_path / f"r{place}",
            f"r{place}",
            bertscore_f1=hardness + rng.normal(shift, 2, len(hardness)),
        )
        for place, shift in enumerate((0, 0.5, 1, 1.5, 3, 3))
    ]
    several.append(changed(several[0], tmp_path / "twin", "twin"))
    board = build_board(several)
    rows, notes = board.rows, board.notes
    assert notes and len({row.rank for row in rows}) > 1 and any(row.rank_high > row.rank_low for row in rows)
    for order in (several[::-1], [several[place] for place in rng.permutation(len(several))]):
        mixed = [
            Run(
                **{
                    **vars(run),
                    "scores": ScoreTable(run.scores.frame.sample(frac=1, random_state=3), run.scores.signatures),
                }
            )
            for run in order
        ]
        again = build_board(mixed)
        assert again.rows == rows and again.notes == notes


def test_a_run_of_other_decoding_stands_unranked_with_the_reason(runs, tmp_path):
    decoding = {**runs[1].manifest.decoding, "temperature": 0.7}
    other = changed(runs[1], tmp_path / "other", "other")
    other = Run(
        **{
            **vars(other),
            "manifest": other.manifest.model_copy(update={"decoding": decoding}),
            "decoding": decoding,
        }
    )
    board = build_board([runs[0], other])
    row = next(row for row in board.rows if row.name == "other")
    assert row.rank is None and "temperature" in row.differs[0]
    assert "not comparable" in board_page(board) and "temperature" in board_csv(board)


def test_two_backends_never_share_a_board_without_saying_so(runs, tmp_path):
    model = runs[0].manifest.model.model_copy(update={"kind": "vllm"})
    other = changed(runs[0], tmp_path / "other", "other")
    other = Run(**{**vars(other), "manifest": other.manifest.model_copy(update={"model": model})})
    board = build_board([runs[0], other])
    assert [row.differs for row in board.rows if row.name == "other"] == [["backend: hf and vllm"]]


def trained(run: Run, path, arm: str, **conditions) -> Run:
    """The run as one of a checkpoint with these training conditions."""
    training = {"arm": arm, "seed": 0, "conditions": {"base": "b1", "steps": 10, "config.seed": 0, **conditions}}
    model = run.manifest.model.model_copy(update={"training": training})
    manifest = run.manifest.model_copy(update={"model": model})
    return Run(**{**vars(run), "path": path, "name": arm, "manifest": manifest})


def test_arms_of_one_base_that_were_trained_differently_are_not_ranked_together(runs, tmp_path):
    ce = trained(runs[0], tmp_path / "ce", "ce")
    longer = trained(runs[0], tmp_path / "severity", "severity", steps=20)
    reseeded = trained(runs[0], tmp_path / "shuffled", "shuffled", **{"config.seed": 1})
    elsewhere = trained(runs[0], tmp_path / "hard", "hard", base="b2", steps=99)
    differs = {row.name: row.differs for row in build_board([ce, longer, reseeded, elsewhere]).rows}
    assert differs == {"ce": [], "severity": ["training steps: 10 and 20"], "shuffled": [], "hard": []}


def test_trainings_of_one_arm_are_summed_up_apart_from_the_rows(runs, tmp_path):
    def seeded(seed, shift):
        run = trained(runs[0], tmp_path / f"ce-{seed}", "ce", **{"config.seed": seed})
        return changed(run, run.path, f"ce-{seed}", bertscore_f1=run.scores.frame["bertscore_f1"] * 0.5 + shift)

    group = [seeded(0, 10), seeded(1, 12), seeded(2, 17)]
    board = build_board([*group, trained(runs[0], tmp_path / "x", "severity")])
    (row,) = board.seeds
    means = [run.scores.frame["bertscore_f1"].mean() for run in group]
    assert row.arm == "ce" and sorted(row.runs) == ["ce-0", "ce-1", "ce-2"]
    assert row.cells["overall"].mean == pytest.approx(np.mean(means))
    assert row.cells["overall"].deviation == pytest.approx(np.std(means, ddof=1))
    assert "Training seeds" in board_page(board)


def test_two_evaluations_of_one_training_are_not_two_seeds(runs, tmp_path):
    first, again, second = (
        trained(runs[0], tmp_path / name, "ce", **{"config.seed": seed})
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert build_board([first, again]).seeds == []
    (row,) = build_board([first, again, second]).seeds
    assert len(row.runs) == 2


def test_which_run_of_a_training_counts_hangs_on_neither_score_nor_order(runs, tmp_path):
    def seeded(name, seed, shift):
        run = trained(runs[0], tmp_path / name, "ce", **{"config.seed": seed})
        return changed(run, run.path, name, bertscore_f1=run.scores.frame["bertscore_f1"] * 0.5 + shift)

    group = [seeded("a", 0, 10), seeded("b", 0, 20), seeded("c", 1, 12)]
    (row,) = build_board(group).seeds
    assert row.runs == ["a", "c"] and build_board(group[::-1]).seeds == [row]


def test_seeds_are_summed_up_whatever_else_each_run_was_scored_with(runs, tmp_path):
    first, second = (trained(runs[0], tmp_path / str(seed), "ce", **{"config.seed": seed}) for seed in (0, 1))
    fewer = ScoreTable(second.scores.frame.drop(columns="rougeL"), second.scores.signatures)
    (row,) = build_board([first, Run(**{**vars(second), "scores": fewer})]).seeds
    assert row.cells["overall"].mean == pytest.approx(first.scores.frame["bertscore_f1"].mean())


def test_a_severity_without_answers_has_no_cell_among_the_seeds(runs, tmp_path):
    def without(run):
        frame = run.scores.frame[run.scores.frame["severity"] != "neutral"]
        answers = run.answers[run.answers["severity"] != "neutral"]
        return Run(**{**vars(run), "answers": answers, "scores": ScoreTable(frame, run.scores.signatures)})

    group = [trained(without(runs[0]), tmp_path / str(seed), "ce", **{"config.seed": seed}) for seed in (0, 1)]
    (row,) = build_board(group).seeds
    assert set(row.cells) == {"critical", "non_critical", "overall"}


def test_a_training_manifest_of_another_program_says_nothing_about_arms(runs, tmp_path):
    model = runs[0].manifest.model.model_copy(update={"training": {"epochs": 3}})
    manifest = runs[0].manifest.model_copy(update={"model": model})
    other = Run(**{**vars(runs[0]), "path": tmp_path, "manifest": manifest})
    (row,) = build_board([other]).rows
    assert (row.arm, row.seed, row.differs) == (None, None, [])


def test_a_missing_metric_and_a_run_given_twice_are_refused(runs):
    with pytest.raises(UserError, match="no metric 'accuracy'"):
        build_board(runs, "accuracy")
    with pytest.raises(UserError, match="given twice"):
        build_board([runs[0], runs[0]])


def test_several_results_of_plain_lm_eval_in_one_folder_are_several_runs(evaluated, tmp_path):
    for time in ("2026-01-01", "2026-01-02"):
        for path in [*evaluated["hf"].glob("results_*.json"), *evaluated["hf"].glob("samples_*.jsonl")]:
            shutil.copy(path, tmp_path / path.name.replace("_maqa.json", f"_{time}.json"))
    one, other = (load_run(tmp_path / f"results_2026-01-0{day}.json") for day in (1, 2))
    assert [row.rank for row in build_board([one, other]).rows] == [1, 1]
    with pytest.raises(UserError, match="given twice"):
        build_board([one, other, one])


def test_the_files_agree_with_each_other(runs, tmp_path):
    board = build_board(runs)
    json_file, csv_file, page = write_board(tmp_path / "board", board)
    terminal = Console(file=io.StringIO(), width=160)
    print_board(terminal, board)
    loaded = json.loads(json_file.read_text())
    with csv_file.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    for row, line in zip(loaded["rows"], lines, strict=True):
        cell = row["metrics"]["bertscore_f1"]["critical"]
        assert float(line["bertscore_f1_critical"]) == cell["mean"]
        assert float(line["low_critical"]) == cell["low"]
        assert f"{cell['mean']:.2f}" in page.read_text()
        ranks = str(Ranks(row["rank_low"], row["rank_high"]))
        assert line["rank"] == ranks and f">{ranks}</td>" in page.read_text()
        assert re.search(rf"│ +{ranks} │ {row['name']} ", terminal.file.getvalue())


def test_a_hostile_name_is_shown_and_not_run(runs, tmp_path):
    name = "=HYPERLINK(1)<img src=x onerror=alert(1)>"
    board = build_board([changed(runs[0], tmp_path / "x", name)])
    assert "<img" not in board_page(board)
    rows = list(csv.DictReader(board_csv(board).splitlines()))
    assert rows[0]["name"] == f"'{name}"


def test_the_published_table_has_the_gains_that_the_paper_claims():
    table = {row.model: row for row in published_table()}
    assert len(table) == 10
    assert table["AraGPT2-Base"].gain == pytest.approx(12.10)
    assert max(row.gain for row in table.values()) == table["AraGPT2-Base"].gain


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
def test_the_page_sorts_in_a_real_browser(runs, tmp_path, browse):
    *_, page = write_board(tmp_path / "board", build_board(runs))
    script = """<script>addEventListener("load", () => {
      document.querySelectorAll("#board th")[3].click();
      const cells = [...document.querySelectorAll("#board tbody tr")].map(row => row.cells[3].dataset.value);
      document.title = "critical:" + cells.join(",");
    });</script>"""
    page.write_text(page.read_text().replace("</body>", script + "</body>"))
    shown = browse(page)
    values = [float(value) for value in re.findall(r"<title[^>]*>critical:([^<]*)", shown)[0].split(",")]
    assert len(values) == 3 and values == sorted(values)


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
@pytest.mark.parametrize("clicks", [1, 2])
def test_rows_without_a_score_stand_last_in_either_order(runs, tmp_path, browse, clicks):
    frame = runs[2].scores.frame[runs[2].scores.frame["severity"] != "critical"]
    answers = runs[2].answers[runs[2].answers["severity"] != "critical"]
    fewer = Run(**{**vars(runs[2]), "answers": answers, "scores": ScoreTable(frame, runs[2].scores.signatures)})
    *_, page = write_board(tmp_path / "board", build_board([*runs[:2], fewer]))
    script = """<script>addEventListener("load", () => {
      for (let click = 0; click < CLICKS; click++) document.querySelectorAll("#board th")[3].click();
      const rows = [...document.querySelectorAll("#board tbody tr")];
      const cells = rows.map(row => row.cells[3].textContent.trim()[0]);
      document.title = "cells:" + cells.join(",");
    });</script>""".replace("CLICKS", str(clicks))
    page.write_text(page.read_text().replace("</body>", script + "</body>"))
    assert re.findall(r"<title[^>]*>cells:([^<]*)", browse(page))[0].split(",")[2] == "—"


def test_a_board_of_several_bases_says_whose_arm_it_is_and_one_of_a_single_base_does_not(evaluated, tmp_path):
    runs = [
        load_run(trained_copy(tmp_path / f"{base}-{arm}-{seed}", evaluated["hf"], arm, seed, gain, base=base))
        for base in ("b1", "b2")
        for arm, gain in (("ce", 0.0), ("severity", 2.0))
        for seed in range(2)
    ]
    few = Resampling(resamples=200)
    board = build_board(runs, resampling=few)
    told = ["the base: ce", "the base: severity", "the base #2: ce", "the base #2: severity"]
    assert [row.label for row in board.seeds] == told
    assert [claim.label for claim in board.claims] == told[1::2]
    console = Console(width=200, record=True, file=io.StringIO())
    print_board(console, board)
    printed, page = console.export_text(), board_page(board)
    for label in told:
        assert label in printed and label in page
    alone = build_board(runs[:4], resampling=few)
    assert [row.label for row in alone.seeds] == ["ce", "severity"] and alone.claims[0].label == "severity"
    assert not build_board(runs[:1], resampling=few).rank_key
