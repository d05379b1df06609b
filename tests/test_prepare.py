"""``maqa prepare``: every format says the same, text stays as written, labels and columns are found."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from maqa_severity import cli
from maqa_severity.harness.data.columns import Role
from maqa_severity.harness.data.dataset import SPLITS, Dataset, open_dataset
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.harness.data.severity_map import read_severity_map
from maqa_severity.harness.languages.text import Profile, normalise
from maqa_severity.harness.severity import PROBABILITY_COLUMNS
from maqa_severity.tests.tongues import ARABIC

ALL_TEST = PrepareOptions(ARABIC, test=Share(fraction=1.0), validation=Share(rows=0))
TEXTS = [
    ("  عندي أَلَمٌ في الصدر؟ ", 'قال: "راجع الطبيب", ثم\nارتح'),
    ("صداع\tخفيف", "اشرب ماء، و نَم"),
    ("كحه من اسبوع", "-"),
    ("", "جواب بلا سؤال"),
    ("حراره", "خافض حراره 500"),
    ("حراره", "راجع الطبيب"),
    ("حراره!", "راجعِ الطبيب..."),
    ("حراره", "راجع الطبيب"),
]


def source_frame() -> pd.DataFrame:
    frame = pd.DataFrame(TEXTS, columns=["q_body", "a_body"])
    return frame.assign(
        category=["قلب", "اعصاب", "صدر", "x", None, "عام", "عام", "عام"], category_id=range(len(frame))
    )


def write(frame: pd.DataFrame, path: Path) -> Path:
    """Store a frame in the format of the path's extension."""
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".tsv":
            frame.to_csv(path, index=False, sep="\t")
        case ".parquet":
            frame.to_parquet(path)
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True, force_ascii=False)
        case ".sqlite":
            with closing(sqlite3.connect(path)) as database:
                frame.to_sql("pairs", database, index=False)
        case ".xlsx":
            frame.to_excel(path, index=False)
    return path


def read_all(dataset: Dataset) -> pd.DataFrame:
    return pd.concat([dataset.split(name) for name in SPLITS], ignore_index=True)


def labelled(tmp_path: Path, **columns: list[Any]) -> pd.DataFrame:
    """The dataset of rows with the given columns, in the order of the source."""
    count = len(next(iter(columns.values())))
    texts = {"Question": [f"سؤال {n}" for n in range(count)], "Answer": ["جواب"] * count}
    path = write(pd.DataFrame(texts | columns), tmp_path / "labelled.csv")
    return read_all(prepare(path, tmp_path / "labelled", ALL_TEST)[0]).sort_values("question", ignore_index=True)


@pytest.mark.parametrize("extension", [".csv", ".tsv", ".xlsx", ".parquet", ".jsonl", ".sqlite"])
def test_every_format_gives_the_same_rows_as_written(tmp_path: Path, extension: str) -> None:
    dataset, card = prepare(write(source_frame(), tmp_path / f"s{extension}"), tmp_path / "d", ALL_TEST)
    rows = read_all(dataset)
    kept = set(zip(rows["question"], rows["answer"], strict=True))
    assert {TEXTS[0], TEXTS[1], TEXTS[4]} < kept <= set(TEXTS)
    assert card.read == len(TEXTS)
    expected = {"no_question": 1, "no_answer": 1, "exact_duplicate": 1, "normalised_duplicate": 1}
    assert card.dropped == expected
    assert card.kept == len(rows) == len(TEXTS) - sum(expected.values())
    assert card.columns == {"question": "q_body", "answer": "a_body", "category": "category"}
    assert set(rows["category"]) == {"قلب", "اعصاب", "عام", "unknown"}
    info = open_dataset(tmp_path / "d").info
    assert info.cleaning["dropped"] == expected
    assert info.severity_source.name == "none"
    assert rows["severity"].isna().all() and rows[list(PROBABILITY_COLUMNS)].isna().all(axis=None)


def test_all_formats_give_the_same_files(tmp_path: Path) -> None:
    digests = set()
    for extension in ("csv", "tsv", "xlsx", "parquet", "jsonl", "sqlite"):
        dataset, _ = prepare(
            write(source_frame(), tmp_path / f"s.{extension}"), tmp_path / extension, PrepareOptions(ARABIC)
        )
        digests.add(json.dumps(dataset.info.sha256))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (["q_body", "a_body", "q_body_count", "a_body_count", "category", "category_id"], {"category": "category"}),
        (["question", "answer"], {}),
        (["Question", "Answer", "Severity", "غير حرج", "متوسط", "حرج"], {"p_critical": "حرج"}),
        (["question", "answer", "Predicted class", "class1 prob", "class2 prob", "class3 prob"],
         {"severity": "Predicted class", "p_non_critical": "class1 prob", "p_critical": "class3 prob"}),
        (["Post", "Severity", "Plan"], {"question": "Post", "answer": "Plan"}),
        (["Question", "Answer", "Category", "Msa_questions"], {"question": "Question", "category": "Category"}),
        (["Msa_questions", "Answer", "category_id"], {"question": "Msa_questions", "category": "category_id"}),
        (["السؤال", "الإجابة", "التخصص"], {"question": "السؤال", "answer": "الإجابة", "category": "التخصص"}),
    ],
)  # fmt: skip
def test_known_headers_are_found(tmp_path: Path, header: list[str], found: dict[str, str]) -> None:
    severities = {"Severity": "حرج", "Predicted class": "critical"}
    probabilities = dict(zip(header[-3:], (0.1, 0.2, 0.7), strict=False)) if len(header) == 6 else {}
    frame = pd.DataFrame([[severities.get(name, probabilities.get(name, "نص")) for name in header]], columns=header)
    dataset, card = prepare(write(frame, tmp_path / "s.csv"), tmp_path / "d", ALL_TEST)
    assert found.items() <= card.columns.items()
    if "p_critical" in found:
        assert dataset.split("test")[list(PROBABILITY_COLUMNS)].iloc[0].tolist() == [0.1, 0.2, 0.7]


def test_named_columns_win_over_known_ones(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Question": ["لهجه"], "Answer": ["جواب"], "Msa_questions": ["فصحى"], "Reply": ["رد"]})
    columns = {Role.QUESTION: "Msa_questions", Role.ANSWER: "Reply"}
    options = PrepareOptions(ARABIC, columns=columns, test=Share(rows=1), validation=Share(rows=0))
    dataset, _ = prepare(write(frame, tmp_path / "s.csv"), tmp_path / "d", options)
    assert dataset.split("test")[["question", "answer"]].iloc[0].tolist() == ["فصحى", "رد"]


def test_labels_without_probabilities_are_certain(tmp_path: Path) -> None:
    rows = labelled(tmp_path, Severity=["حرج", "متوسط", "غير حرج", "High", None])
    assert rows["severity"].tolist()[:4] == ["critical", "neutral", "non_critical", "critical"]
    assert rows["severity"].isna().tolist() == [False] * 4 + [True]
    matrix = rows[list(PROBABILITY_COLUMNS)]
    assert matrix[:4].to_numpy().tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert matrix[4:].isna().all(axis=None)
    source = open_dataset(tmp_path / "labelled").info.severity_source
    assert source.name == "column"
    assert source.sha256 == open_dataset(tmp_path / "labelled").info.source_sha256


@pytest.mark.parametrize("scale", [1, 100])
def test_probabilities_without_labels_give_the_most_likely_severity(tmp_path: Path, scale: int) -> None:
    columns = {"p_nc": [0.32, 0.4, 0.5], "p_n": [0.32, 0.2, 0.3], "p_c": [0.36, 0.4, 0.2]}
    rows = labelled(tmp_path, **{name: [value * scale for value in values] for name, values in columns.items()})
    assert rows["severity"].tolist() == ["critical", "critical", "non_critical"]
    assert rows["p_neutral"].tolist() == pytest.approx(columns["p_n"], abs=1e-12)
    assert rows["p_critical"].tolist() == pytest.approx(columns["p_c"], abs=1e-12)


@pytest.mark.parametrize("scale", [1, 100])
@pytest.mark.parametrize("thousandths", [(334, 334, 333), (333, 333, 333)])
def test_probabilities_rounded_to_three_digits_are_probabilities(
    tmp_path: Path, thousandths: tuple[int, int, int], scale: int
) -> None:
    columns = {
        name: [value * scale / 1000] for name, value in zip(("p_nc", "p_n", "p_c"), thousandths, strict=True)
    }
    rows = labelled(tmp_path, **columns)
    assert rows[list(PROBABILITY_COLUMNS)].iloc[0].tolist() == pytest.approx([v / 1000 for v in thousandths])


def test_a_label_beside_probabilities_is_kept_and_counted_where_they_disagree(tmp_path: Path) -> None:
    columns = {"p_nc": [0.5, 0.1, 0.1], "p_n": [0.3, 0.2, 0.2], "p_c": [0.2, 0.7, 0.7]}
    rows = labelled(tmp_path, severity=["critical", "critical", "high"], **columns)
    assert rows["severity"].tolist() == ["critical"] * 3
    assert rows["p_non_critical"].tolist() == columns["p_nc"]
    assert open_dataset(tmp_path / "labelled").info.cleaning["labels_against_probabilities"] == 1


def test_of_contradicting_duplicates_the_more_severe_stays(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "question": ["الم", "ألم", "الم", "الم"],
            "answer": "راجع الطبيب",
            "severity": [None, "mild", "critical", "low"],
        }
    )
    dataset, card = prepare(write(frame, tmp_path / "s.csv"), tmp_path / "d", ALL_TEST)
    assert dataset.split("test")["severity"].tolist() == ["critical"]
    assert card.dropped["exact_duplicate"] == 2
    assert card.dropped["normalised_duplicate"] == 1


def test_given_ids_are_kept_and_an_exact_duplicate_does_not_collide(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [7, 7, 8], "question": ["ا", "ا", "ب"], "answer": "ج"})
    dataset, _ = prepare(write(frame, tmp_path / "s.csv"), tmp_path / "d", ALL_TEST)
    assert sorted(dataset.split("test")["id"]) == ["7", "8"]


def test_sizes_are_rows_or_fractions_and_every_severity_gives_its_share(tmp_path: Path) -> None:
    labels = ["critical"] * 40 + ["neutral"] * 100 + ["non_critical"] * 260
    frame = pd.DataFrame({"question": [f"س {n}" for n in range(400)], "answer": "ج", "severity": labels})
    source = write(frame, tmp_path / "s.csv")
    options = PrepareOptions(ARABIC, test=Share(rows=40), validation=Share(fraction=0.2))
    dataset, card = prepare(source, tmp_path / "d", options)
    assert dataset.info.counts["test"] | {"unlabelled": 0} == {
        "rows": 40, "critical": 4, "neutral": 10, "non_critical": 26, "unlabelled": 0
    }  # fmt: skip
    assert card.severities["validation"].to_dict() == {
        "critical": 8, "neutral": 20, "non_critical": 52, "unlabelled": 0
    }  # fmt: skip
    assert card.severities.sum().to_dict() == {"train": 280, "validation": 80, "test": 40}
    other, _ = prepare(source, tmp_path / "e", PrepareOptions(ARABIC, test=Share(rows=40), seed=1))
    assert set(other.split("test")["id"]) != set(dataset.split("test")["id"])


def test_fractions_that_sum_to_one_leave_nothing_over_and_ask_for_no_more(tmp_path: Path) -> None:
    frame = pd.DataFrame({"question": ["ا", "ب", "ت"], "answer": "ج"})
    options = PrepareOptions(ARABIC, test=Share(fraction=0.5), validation=Share(fraction=0.5))
    dataset, _ = prepare(write(frame, tmp_path / "s.csv"), tmp_path / "d", options)
    assert {name: len(dataset.split(name)) for name in SPLITS} == {"train": 1, "validation": 1, "test": 1}


def test_a_sheet_and_a_table_can_be_chosen(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title, answer in (("One", "اول"), ("Two", "ثان")):
        sheet = book.create_sheet(title)
        sheet.append([])
        sheet.append(["question", "answer"])
        sheet.append(["سؤال", answer])
    book.save(tmp_path / "s.xlsx")
    with closing(sqlite3.connect(tmp_path / "s.db")) as database:
        for title, answer in (("One", "اول"), ('T"wo', "ثان")):
            pd.DataFrame({"question": ["سؤال"], "answer": [answer]}).to_sql(title, database, index=False)
    sheet_options = PrepareOptions(ARABIC, reading={"sheet": "Two"}, test=Share(rows=1))
    table_options = PrepareOptions(ARABIC, reading={"table": 'T"wo'}, test=Share(rows=1))
    for name, options in (("s.xlsx", sheet_options), ("s.db", table_options)):
        dataset, _ = prepare(tmp_path / name, tmp_path / f"d-{name}", options)
        assert dataset.split("test")["answer"].tolist() == ["ثان"]


def test_rows_beyond_the_extent_that_a_workbook_claims_are_read(tmp_path: Path) -> None:
    source = write(source_frame(), tmp_path / "s.xlsx")
    claims = tmp_path / "claims.xlsx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(claims, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:D3"', old.read(name)))
    assert (
        prepare(claims, tmp_path / "d", ALL_TEST)[1].read
        == prepare(source, tmp_path / "e", ALL_TEST)[1].read
        == len(TEXTS)
    )


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!"])
def test_the_error_of_a_formula_is_an_empty_cell(tmp_path: Path, error: str) -> None:
    book = openpyxl.Workbook()
    for row in (["question", "answer", "severity"], ["الم", "راجع", error], ["صداع", error, "mild"]):
        book.active.append(row)
    book.save(tmp_path / "s.xlsx")
    dataset, card = prepare(tmp_path / "s.xlsx", tmp_path / "d", ALL_TEST)
    assert dataset.split("test")["question"].tolist() == ["الم"]
    assert card.dropped["no_answer"] == 1 and dataset.split("test")["severity"].isna().all()


def test_a_key_that_only_later_rows_have_is_a_column(tmp_path: Path) -> None:
    lines = [{"question": "ا", "answer": "ج"}, {"question": "ب", "answer": "ج", "severity": "mild"}]
    path = tmp_path / "s.jsonl"
    path.write_text("\ufeff" + "\n\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    dataset, _ = prepare(path, tmp_path / "d", ALL_TEST)
    assert dataset.info.counts["test"]["non_critical"] == 1


def test_more_rows_than_a_batch_keep_their_labels(tmp_path: Path) -> None:
    count = 20_000
    labels = [("mild", "medium", "high")[n % 3] for n in range(count)]
    frame = pd.DataFrame({"id": range(count), "question": [f"س {n}" for n in range(count)], "answer": "ج"})
    dataset, _ = prepare(
        write(frame.assign(severity=labels), tmp_path / "s.csv"), tmp_path / "d", PrepareOptions(ARABIC)
    )
    rows = read_all(dataset)
    assert len(rows) == count
    names = rows["id"].astype(int).map(lambda n: ("non_critical", "neutral", "critical")[n % 3])
    assert rows["severity"].tolist() == names.tolist()
    assert rows["question"].tolist() == [f"س {n}" for n in rows["id"]]


def test_the_card_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    source = write(source_frame().assign(category="[red]قسم[/red]"), tmp_path / "s.csv")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "argv", ["maqa", "prepare", str(source), "--out", str(tmp_path / "d"), "--test", "1"])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert not exit_.value.code
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for words in (
        "read 8",
        "no question 1",
        "normalised duplicate 1",
        "kept 4",
        "unlabelled 3 0 1 4",
        "[red]قسم[/red]",
    ):
        assert words in out


@pytest.mark.parametrize(("chosen", "asked"), [("en", True), ("ar", False)])
def test_data_in_another_language_than_chosen_is_asked_about(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, chosen: str, asked: bool
) -> None:
    source = write(source_frame(), tmp_path / "pairs.csv")
    arguments = ["prepare", str(source), "--out", str(tmp_path / "data"), "--language", chosen]
    monkeypatch.setattr(sys, "argv", ["maqa", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert not exit_.value.code
    printed = capsys.readouterr().out
    found = "4 of 4 questions have no letter of English, most have letters of 'ar'" in printed
    assert (found, "Is the language right?" in printed) == (asked, asked)


def test_real_pairs_are_kept_or_explained(tmp_path: Path, falah: Path) -> None:
    source = pd.read_excel(falah)
    dataset, card = prepare(falah, tmp_path / "d", PrepareOptions(ARABIC))
    rows = read_all(dataset)
    assert card.read == len(source)
    assert card.kept == len(rows) >= 1000
    assert card.read == card.kept + sum(card.dropped.values())
    pairs = set(zip(source["Question"], source["Answer"], strict=True))
    assert set(zip(rows["question"], rows["answer"], strict=True)) <= pairs
    assert (
        len({(normalise(q, Profile.METRIC, ARABIC), normalise(a, Profile.METRIC, ARABIC)) for q, a in pairs})
        == card.kept
    )
    assert set(rows["category"]) == set(source["Category"])


def test_severities_in_somebody_elses_words_are_read_and_it_is_said_how(tmp_path):
    rows = [("عندي صداع", "حرجة"), ("عندي ألم", "عاجل"), ("عندي كحة", "بسيطة"), ("عندي حكة", "ESI ٢")]
    source = tmp_path / "s.csv"
    lines = [f"{question},راجع الطبيب {place},{value}" for place, (question, value) in enumerate(rows)]
    source.write_text("\n".join(["question,answer,severity", *lines]), encoding="utf-8")
    options = PrepareOptions(language=ARABIC, test=Share(rows=0), validation=Share(rows=0))
    dataset, card = prepare(source, tmp_path / "out", options)
    found = dict(zip(dataset.split("train")["question"], dataset.split("train")["severity"], strict=True))
    assert [found[question] for question, _ in rows] == ["critical", "neutral", "non_critical", "critical"]
    assert "حرجة is critical" in card.read_as and "ESI ٢ is critical" in card.read_as
    mapped = replace(options, severities=read_severity_map("حرجة=1,عاجل=2,بسيطة=5,ESI 2=3", options.language))
    dataset, _ = prepare(source, tmp_path / "mapped", mapped)
    found = dict(zip(dataset.split("train")["question"], dataset.split("train")["severity"], strict=True))
    assert [found[question] for question, _ in rows] == ["critical", "critical", "non_critical", "neutral"]


@pytest.mark.parametrize(
    ("values", "used"), [(("critical", "mild"), True), (("1", "2"), False), (("eye", ""), False)]
)
def test_a_column_that_may_be_the_severity_is_used_if_its_words_are_or_named_as_not_used(tmp_path, values, used):
    source = tmp_path / "s.csv"
    lines = [f"عندي ألم {place},راجع الطبيب {place},{value}" for place, value in enumerate(values)]
    source.write_text("\n".join(["question,answer,label", *lines]), encoding="utf-8")
    options = PrepareOptions(language=ARABIC, test=Share(rows=0), validation=Share(rows=0))
    dataset, card = prepare(source, tmp_path / "out", options)
    assert (dataset.info.severity_source.name == "column") is used
    assert ("--severity-column label --severity-map" in card.unused) is not used
