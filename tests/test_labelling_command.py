"""``maqa label`` and ``maqa train classifier`` as a user types them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maqa_severity import cli
from maqa_severity.harness.data.dataset import SPLITS, Dataset, open_dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.sources import classifier_tfidf
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC

ROWS = handwritten_rows(ARABIC)


@pytest.fixture
def maqa(monkeypatch, capsys):
    """Run the command; give back its exit status, output and error."""

    def run(*arguments: object, columns: int = 200) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        status = 0
        try:
            cli.main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    rows = [{**row, "severity": None} for row in ROWS]
    return dataset_from_rows(
        {"train": rows[::2], "test": rows[1::2]}, tmp_path / "in", language=ARABIC, source="sample"
    )


@pytest.fixture(scope="module")
def expert(tmp_path_factory) -> Dataset:
    splits = {"train": ROWS[::2], "validation": ROWS[1::4], "test": ROWS[3::4]}
    return dataset_from_rows(splits, tmp_path_factory.mktemp("data") / "expert", language=ARABIC, source="sample")


@pytest.fixture
def gold(tmp_path) -> Path:
    path = tmp_path / "gold.csv"
    lines = ["id,severity", *(f"{row['id']},{row['severity']}" for row in ROWS[:60])]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def one_line(error: str) -> bool:
    return error.startswith("maqa: ") and len(error.strip().splitlines()) == 1 and "Traceback" not in error


def test_label_writes_the_dataset_and_prints_counts_and_weights(maqa, dataset):
    status, out, _ = maqa("label", dataset.folder, "--with", "rules", "--scheme", "strong")
    assert status == 0
    labelled = open_dataset(dataset.folder)
    assert labelled.info.severity_source.name == "rules"
    for shown in (
        "unknown: the stated prior",
        "coefficient of variation",
        "effective sample size",
        "scheme strong",
    ):
        assert shown in out
    assert f"{labelled.info.labelling['unknown']:,}" in out


def test_explain_shows_what_fired_what_was_negated_and_why(maqa):
    status, out, _ = maqa("label", "--explain", "لا يوجد ألم في الصدر لكن عندي صداع خفيف")
    assert status == 0
    assert "negated by لا" in out
    assert "fires" in out
    status, out, _ = maqa("label", "--explain", "متى تفتح العيادة")
    assert status == 0 and "unknown" in out and "non_critical 0.300" in out
    status, out, _ = maqa("label", "--explain", "")
    assert status == 0 and "unknown" in out


def test_explain_takes_markup_and_control_characters_as_text(maqa):
    status, out, _ = maqa("label", "--explain", "[bold]صداع[/bold] [/] \x1b[31m")
    assert status == 0 and "صداع" in out and "\x1b[31m" not in out


def test_check_prints_a_card_and_writes_no_labels(maqa, dataset, gold, tmp_path):
    before = {path.name: path.read_bytes() for path in dataset.folder.iterdir()}
    status, out, _ = maqa("label", dataset.folder, "--check", gold, "--out", tmp_path / "card")
    assert status == 0
    for measure in ("macro_f1", "quadratic_kappa", "critical_recall", "severe_under_triage", "ece", "brier", "rps"):
        assert measure in out
    assert before == {path.name: path.read_bytes() for path in dataset.folder.iterdir()}
    assert json.loads((tmp_path / "card" / "report_card.json").read_text(encoding="utf-8"))[0]["rows"] == 60


def test_check_recomputes_the_card_that_training_wrote(maqa, expert, tmp_path):
    assert maqa("train", "classifier", expert.folder, "--out", tmp_path / "model")[0] == 0
    written = json.loads((tmp_path / "model" / "report_card.json").read_text(encoding="utf-8"))
    gold = tmp_path / "gold.jsonl"
    test = open_dataset(expert.folder).split("test")
    gold.write_text(test[["id", "severity"]].to_json(orient="records", lines=True), encoding="utf-8")
    for choice in (["rules"], [tmp_path / "model"], ["hybrid", "--classifier", tmp_path / "model"]):
        out = tmp_path / f"card-{len(choice)}-{Path(choice[0]).name}"
        assert maqa("label", expert.folder, "--with", *choice, "--check", gold, "--out", out)[0] == 0
        again = json.loads((out / "report_card.json").read_text(encoding="utf-8"))[0]
        known = next(card for card in written if card["source"] == again["source"])
        assert again | {"truth": ""} == known | {"truth": ""}


def test_train_prints_the_card_of_all_three_sources(maqa, expert, tmp_path):
    status, out, _ = maqa("train", "classifier", expert.folder, "--out", tmp_path / "model", "--folds", 5)
    assert status == 0
    for shown in ("5 folds grouped by category", "rules", "classifier", "hybrid", "coverage"):
        assert shown in out
    assert "not from people" not in out


def test_training_on_machine_labels_says_so(maqa, dataset, tmp_path):
    assert maqa("label", dataset.folder)[0] == 0
    status, out, _ = maqa("train", "classifier", dataset.folder, "--out", tmp_path / "model")
    assert status == 0 and "not from people" in out
    status, out, _ = maqa("label", dataset.folder, "--with", tmp_path / "model", "--out", tmp_path / "out")
    assert status == 0 and "trained on this dataset's training split" in out


def test_a_constant_probability_classifier_triggers_the_flat_weights_warning(
    maqa, expert, dataset, tmp_path, monkeypatch
):
    assert maqa("train", "classifier", expert.folder, "--out", tmp_path / "model")[0] == 0
    monkeypatch.setattr(
        classifier_tfidf.TfidfModel, "logits", lambda self, questions: np.tile([0.1, 0.2, 0.3], (len(questions), 1))
    )
    status, out, _ = maqa("label", dataset.folder, "--with", tmp_path / "model")
    assert status == 0
    assert "Warning: The weights hardly differ" in out and "plain cross-entropy" in out


def test_stress_writes_a_table_and_a_picture(maqa, dataset, falah, tmp_path):
    out = tmp_path / "stress"
    status, text, _ = maqa("label", dataset.folder, "--stress", "--pairs", falah, "--out", out)
    assert status == 0
    assert "dialect to MSA" in text and "first 5 words" in text
    assert {path.name for path in out.iterdir()} == {"stress.json", "stress.png"}
    assert json.loads((out / "stress.json").read_text(encoding="utf-8"))["rows"][-1]["rows"] > 1_000
    assert open_dataset(dataset.folder).info.severity_source.name == "none"


def test_the_real_questions_are_labelled(maqa, falah, tmp_path):
    assert maqa("prepare", falah, "--out", tmp_path / "falah")[0] == 0
    assert maqa("label", tmp_path / "falah", "--with", "rules")[0] == 0
    labelled = open_dataset(tmp_path / "falah")
    totals = {key: sum(labelled.info.counts[name][key] for name in SPLITS) for key in labelled.info.counts["test"]}
    assert min(totals["critical"], totals["neutral"], totals["non_critical"]) > 0
    assert totals["unlabelled"] == 0 and totals["rows"] >= 1_000


def test_errors_are_one_line_with_status_2_and_write_nothing(maqa, dataset, expert, gold, tmp_path):
    strangers = tmp_path / "strangers.csv"
    strangers.write_text("id,severity\nnobody,critical\n", encoding="utf-8")
    foreign = tmp_path / "foreign.csv"
    foreign.write_text(f"id,severity\n{ROWS[0]['id']},purple\n", encoding="utf-8")
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text(f"id,colour\n{ROWS[0]['id']},pink\n", encoding="utf-8")
    folder, out = dataset.folder, tmp_path / "out"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for arguments, named in [
        ([], "no dataset is named"),
        ([tmp_path / "nowhere"], "does not exist"),
        ([folder, "--with", "wisdom"], "unknown severity source"),
        ([folder, "--with", tmp_path / "nowhere"], "does not exist"),
        ([folder, "--with", folder], "classifier.json does not exist"),
        ([folder, "--with", "hybrid"], "lacks its classifier"),
        ([folder, "--with", "column"], "has no labels by people"),
        ([folder, "--scheme", "wild"], "unknown weighting scheme"),
        ([folder, "--check", strangers], "1 of 1 ids are not in"),
        ([folder, "--check", foreign], "unknown severity 'purple'"),
        ([folder, "--check", unlabelled], "no column of severities"),
        ([folder, "--check", gold, "--stress"], "two questions"),
        ([folder, "--stress"], "has no folder"),
        (["--explain", "صداع", "--check", gold], "shows what the rules see"),
        (["--explain", "صداع", "--with", "hybrid"], "shows what the rules see"),
        ([folder, "--pairs", gold], "goes with --stress"),
        ([folder, "--stress", "--pairs", gold, "--out", out], "lacks a question or an MSA column"),
        ([expert.folder], "has 300 labels already"),
    ]:
        status, _, error = maqa("label", *arguments)
        assert (status, one_line(error)) == (2, True), (arguments, error)
        assert named in error, (arguments, error)
    for arguments, named in [
        ([folder, "--out", out], "has 0 rows labelled"),
        ([expert.folder, "--out", out, "--base", tmp_path / "nowhere"], "cannot load the base"),
        ([expert.folder, "--out", out, "--folds", 99], "cannot be cut into"),
        ([expert.folder, "--out", out, "--epochs", 0], "'epochs'"),
    ]:
        status, _, error = maqa("train", "classifier", *arguments)
        assert (status, one_line(error)) == (2, True), (arguments, error)
        assert named in error, (arguments, error)
    assert not out.exists()
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_source_checked_against_labels_of_a_machine_is_told_so(maqa, dataset, expert):
    assert maqa("label", dataset.folder)[0] == 0
    warning = "The labels come from the source 'rules', not from people"
    assert warning in maqa("label", dataset.folder, "--check", dataset.folder)[1]
    assert warning not in maqa("label", expert.folder, "--check", expert.folder)[1]


def test_cards_and_stress_tables_are_whole_at_80_columns(maqa, dataset, expert, tmp_path):
    cards = maqa("train", "classifier", expert.folder, "--out", tmp_path / "model", columns=80)[1]
    stress = maqa("label", dataset.folder, "--stress", "--out", tmp_path / "stress", columns=80)[1]
    assert "hybrid" in cards and "slang: levantine" in stress
    assert "…" not in cards + stress


def test_ctrl_c_is_one_line_that_says_how_to_go_on(maqa, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RulesSource, "explain", interrupted)
    status, _, error = maqa("label", "--explain", "صداع")
    assert (status, error) == (130, "maqa: interrupted. Run the same command again to continue\n")


def test_a_checked_source_gives_every_row_the_severities_that_it_may_have(maqa, dataset, gold, tmp_path):
    assert maqa("label", dataset.folder, "--check", gold, "--out", dataset.folder)[0] == 0
    status, out, _ = maqa("label", dataset.folder, "--out", tmp_path / "labelled")
    assert status == 0 and "have critical in their set" in " ".join(out.split())
    labelled = open_dataset(tmp_path / "labelled")
    possible = pd.concat([labelled.reasons(name)["possible"] for name in SPLITS]).dropna()
    for each in possible:
        assert set(each.split("|")) <= {"", "critical", "neutral", "non_critical"}
    kept = labelled.info.labelling["sets"]
    assert kept["rows"] == len(possible)
    single = possible.isin(["critical", "neutral", "non_critical"])
    assert kept["undecided_pct"] == pytest.approx(100 * (1 - single.mean()), abs=0.01)


def test_labels_are_audited_before_a_classifier_is_trained_on_them(maqa, dataset, expert, tmp_path):
    mixed = tmp_path / "mixed"
    rng = np.random.default_rng(0)
    rows = pd.concat([expert.split(name) for name in SPLITS])[["question", "answer", "category", "severity"]]
    rows["severity"] = rng.permutation(rows["severity"])
    rows.to_csv(tmp_path / "mixed.csv", index=False)
    assert maqa("prepare", tmp_path / "mixed.csv", "--out", mixed, "--test", 60)[0] == 0
    status, out, _ = maqa("train", "classifier", mixed, "--out", tmp_path / "model")
    assert status == 0 and "Audit of the labels: cannot support a classifier" in " ".join(out.split())
    assert json.loads((tmp_path / "model" / "audit.json").read_text(encoding="utf-8"))["standing"].startswith(
        "cannot"
    )
    assert open_dataset(mixed).info.labelling["audit"]["standing"] == "cannot support a classifier"
    assert maqa("label", dataset.folder)[0] == 0
    status, out, _ = maqa("train", "classifier", dataset.folder, "--out", tmp_path / "other")
    assert status == 0 and "there are none of people to audit" in " ".join(out.split())
    assert not (tmp_path / "other" / "audit.json").exists()
