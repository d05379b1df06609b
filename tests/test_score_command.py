"""``maqa score``: a file of answers in, a score for each of them out."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from maqa_severity.cli import main
from maqa_severity.harness.metrics.bertscore.encoder import NO_ENCODER
from maqa_severity.harness.metrics.registry import Group, columns_of
from maqa_severity.harness.metrics.scoring import run_metrics
from maqa_severity.harness.scores.table import read_scores
from maqa_severity.tests.tongues import ARABIC

ROWS = [
    {"id": "a", "severity": "critical", "question": "ألم صدر", "reference": "اذهب للطوارئ الآن", "prediction": ""},
    {"id": "b", "severity": "mild", "question": "زكام", "reference": "استرح، واشرب سوائل", "prediction": "استرح"},
    {
        "id": "c",
        "severity": "حرج",
        "question": "نزف",
        "reference": "اضغط على الجرح",
        "prediction": "اضغط على الجرح",
    },
]
COLUMNS = [column for metric in run_metrics(ARABIC, NO_ENCODER) for column in metric.columns]


def write(path, rows):
    frame = pd.DataFrame(rows)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.fixture
def maqa(monkeypatch, tmp_path, capsys):
    """Run ``maqa score`` on a file; gives the status, what was printed, and the errors."""

    def run(file, *arguments, out=tmp_path / "out" / "scores.parquet"):
        monkeypatch.setattr(sys, "argv", ["maqa", "score", str(file), "--out", str(out), *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


@pytest.fixture
def scores_of(maqa, tmp_path):
    def run(file, *arguments):
        status, printed, errors = maqa(file, *arguments)
        assert (status, errors) == (0, "")
        return read_scores(tmp_path / "out" / "scores.parquet"), printed

    return run


@pytest.mark.parametrize("extension", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_scores(extension, scores_of, tmp_path):
    scores, printed = scores_of(write(tmp_path / f"answers.{extension}", ROWS), "--bertscore-model", "none")
    assert list(scores.frame["id"]) == ["a", "b", "c"]
    assert list(scores.frame["severity"]) == ["critical", "non_critical", "critical"]
    assert scores.metrics == list(scores.signatures) == COLUMNS
    assert scores.frame["rouge1"].tolist() == [0, 50, pytest.approx(100)]
    assert scores.frame["empty"].tolist() == [100, 0, 0]
    assert all(f"{metric}: {signature}" in printed for metric, signature in scores.signatures.items())


def test_the_table_shows_n_and_mean_per_severity(scores_of, tmp_path):
    _, printed = scores_of(write(tmp_path / "answers.csv", ROWS), "--bertscore-model", "none")
    cells = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in printed.splitlines()]
    assert [row for row in cells if row][:3] == [
        ["mean, percent", "critical", "non_critical", "overall"],
        ["n", "2", "1", "3"],
        ["rouge1", "50.00", "50.00", "50.00"],
    ]
    assert "bertscore_f1 was left out" in printed


def test_prediction_and_reference_are_enough(scores_of, tmp_path):
    rows = [{"prediction": row["prediction"], "reference": row["reference"], "other": 7} for row in ROWS]
    scores, printed = scores_of(write(tmp_path / "answers.jsonl", rows), "--bertscore-model", "none")
    assert list(scores.frame["id"]) == ["1", "2", "3"]
    assert scores.frame["severity"].isna().all()
    assert "critical" not in printed
    assert {"dose_conflict", "polarity_flip", "degenerate", "length_match"} <= set(scores.metrics)
    assert not {"missed_emergency", "unsupported_numbers", "echo_rate"} & set(scores.metrics)


def test_a_local_encoder_adds_bertscore(scores_of, encoder, tmp_path):
    scores, printed = scores_of(write(tmp_path / "answers.csv", ROWS), "--bertscore-model", encoder)
    assert scores.metrics == ["bertscore_f1", "beyond_encoder", "reference_beyond_encoder", *COLUMNS]
    assert scores.frame["bertscore_f1"].tolist()[::2] == [0, pytest.approx(100, abs=1e-4)]
    assert 0 < scores.frame["bertscore_f1"][1] < 100
    assert "not-comparable-with-the-paper" in printed


def test_identical_arabic_texts_score_100_on_every_metric(scores_of, encoder, pairs, tmp_path):
    rows = [{"prediction": text, "reference": text} for text in pairs[1]]
    scores, _ = scores_of(write(tmp_path / "answers.parquet", rows), "--bertscore-model", encoder)
    assert len(scores.frame) == 1000
    for metric in columns_of(Group.SIMILARITY):
        assert scores.frame[metric].min() == pytest.approx(100, abs=1e-4)


def test_an_answer_is_never_read_as_markup(scores_of, tmp_path):
    rows = [{**ROWS[1], "id": "[bold]x[/bold]", "prediction": "[/red] [link=x]"}]
    scores, _ = scores_of(write(tmp_path / "answers.jsonl", rows), "--bertscore-model", "none")
    assert scores.frame["id"][0] == "[bold]x[/bold]"


def changed(**values):
    return [ROWS[0], {**ROWS[1], **values}, ROWS[2]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"prediction": "نعم"}], r"answers\.jsonl has no column 'reference'; it has 'prediction'"),
        ([{"answer": "نعم", "reference": "لا"}], r"answers\.jsonl has no column 'prediction'"),
        (changed(prediction=None), r"answers\.jsonl row 2 has no prediction"),
        (changed(prediction=float("nan")), r"answers\.jsonl row 2 has no prediction"),
        (changed(reference=" "), r"answers\.jsonl row 2 has no reference"),
        (changed(id="a"), r"answers\.jsonl row 2: the id 'a' occurs twice"),
        (changed(id=None), r"answers\.jsonl row 2 has no id"),
        (changed(severity="purple"), r"answers\.jsonl row 2: unknown severity 'purple'\. Use one of: critical"),
        (changed(severity=""), r"answers\.jsonl row 2 has no severity"),
        ([], r"answers\.jsonl is empty"),
    ],
)
def test_bad_rows_are_one_line_that_names_the_row(rows, message, maqa, tmp_path):
    status, printed, errors = maqa(write(tmp_path / "answers.jsonl", rows), "--bertscore-model", "none")
    assert (status, printed, errors.count("\n")) == (2, "", 1)
    assert re.search(f"^maqa: .*{message}", errors)
    assert not (tmp_path / "out").exists()


def test_a_header_without_rows_is_an_error(maqa, tmp_path):
    (tmp_path / "answers.csv").write_text("prediction,reference\n")
    status, _, errors = maqa(tmp_path / "answers.csv", "--bertscore-model", "none")
    assert (status, errors.count("\n")) == (2, 1)
    assert "answers.csv has no rows" in errors


def test_a_column_that_stands_twice_is_an_error(maqa, tmp_path):
    (tmp_path / "answers.csv").write_text("prediction,reference,reference\nنعم,لا,نعم\n")
    status, _, errors = maqa(tmp_path / "answers.csv", "--bertscore-model", "none")
    assert (status, errors.count("\n")) == (2, 1)
    assert "column 'reference' 2 times" in errors


@pytest.mark.parametrize("arguments", [[], ["--bertscore-model", "nobody/nothing", "--bertscore-layer", "3"]])
def test_an_encoder_that_cannot_be_loaded_is_an_error_with_the_way_out(arguments, maqa, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    status, printed, errors = maqa(write(tmp_path / "answers.csv", ROWS), *arguments)
    assert (status, printed, errors.count("\n")) == (2, "", 1)
    assert "`none` leaves BERTScore out" in errors and "HF_HOME" in errors
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_an_error_before_the_scoring(maqa, tmp_path):
    answers = write(tmp_path / "answers.csv", ROWS)
    for out in (tmp_path, answers / "scores.parquet"):
        status, printed, errors = maqa(answers, out=out)
        assert (status, printed, errors.count("\n")) == (2, "", 1)
        assert f"cannot write {out}" in errors


def test_the_scores_never_take_the_place_of_the_answers(maqa, tmp_path):
    answers = write(tmp_path / "answers.parquet", ROWS)
    before = answers.read_bytes()
    status, printed, errors = maqa(answers, "--bertscore-model", "none", out=tmp_path / "." / "answers.parquet")
    assert (status, printed, errors.count("\n")) == (2, "", 1)
    assert "answers.parquet is an input of this command" in errors
    assert answers.read_bytes() == before


def test_the_command_ends_without_a_traceback(tmp_path):
    run = subprocess.run(
        [Path(sys.executable).with_name("maqa"), "score", tmp_path / "absent.csv", "--out", tmp_path / "s.parquet"],
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert "absent.csv does not exist" in run.stderr


def test_of_a_workbook_with_several_sheets_the_named_one_is_scored(maqa, tmp_path):
    path = tmp_path / "answers.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame(ROWS[1:2]).to_excel(book, sheet_name="first", index=False)
        pd.DataFrame(ROWS[1:]).to_excel(book, sheet_name="second", index=False)
    status, _, error = maqa(path, "--bertscore-model", "none")
    assert status == 2 and "Choose one with --sheet" in error
    status, said, error = maqa(path, "--bertscore-model", "none", "--sheet", "second")
    assert status == 0 and "Scores of 2 answers" in said, error


def test_the_variable_names_the_encoder_as_it_does_in_lm_eval(scores_of, tmp_path, monkeypatch):
    monkeypatch.setenv("MAQA_BERTSCORE_MODEL", "none")
    scores, printed = scores_of(write(tmp_path / "answers.csv", ROWS))
    assert "bertscore_f1" not in scores.metrics and "left out" in printed


def test_scores_are_not_written_under_the_name_of_another_format(maqa, tmp_path):
    status, _, error = maqa(write(tmp_path / "answers.csv", ROWS), out=tmp_path / "scores.csv")
    assert status == 2 and "does not end in .parquet" in error
    assert not (tmp_path / "scores.csv").exists()
