"""People's labels from elsewhere: every layout and format is read right, or refused in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import Dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.data.severity_map import SeverityMap, read_severity_map
from maqa_severity.harness.labelling.audit.gold_table import read_gold_table
from maqa_severity.harness.labelling.people.people import People, read_people
from maqa_severity.harness.labelling.quality.gold import read_gold
from maqa_severity.harness.labelling.sources.people import PeopleSource
from maqa_severity.tests.tongues import ARABIC

TEXTS = ["عندي ألم شديد في صدري", "عندي حرارة من أسبوع", "ما هو علاج الصلع", "ابني لا يتنفس"]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    rows = [{"id": str(10 + place), "question": text, "answer": "راجع"} for place, text in enumerate(TEXTS)]
    return dataset_from_rows({"train": rows[:3], "test": rows[3:]}, tmp_path / "data", language=ARABIC, source="t")


def write(path: Path, rows: list[list[object]]) -> Path:
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
    return path


def read(path: Path, dataset: Dataset, given: str | None = None) -> People:
    return read_people([path], dataset, read_severity_map(given, ARABIC))


def by_id(people: People) -> dict[str, dict[str, int]]:
    return {
        key: {who: int(rank) for who, rank in zip(people.annotators, row, strict=True) if rank >= 0}
        for key, row in zip(people.ids, people.ranks, strict=True)
    }


LONG = [
    ["id", "annotator", "severity"],
    ["10", "Sami", "critical"],
    ["10", "Noor", "2"],
    ["11", "Sami", "عاجل"],
    ["11", "Noor", ""],
    ["12", "Noor", "بسيطة"],
]
SAID = {"10": {"Sami": 2, "Noor": 2}, "11": {"Sami": 1}, "12": {"Noor": 0}}


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("long.csv", LONG),
        ("long.xlsx", [[10.0 if cell == "10" else cell for cell in row] for row in LONG]),
        ("numbers.csv", [[f"{row[0]}.0" if row[0] != "id" else "id", *row[1:]] for row in LONG]),
        ("arabic.csv", [["رقم السؤال", "المقيم", "درجة الخطورة"], *([*("١٠", "Sami", "حرجة")],),
                        ["١٠", "Noor", "٢"], ["١١", "Sami", "مستعجل"], ["١٢", "Noor", "خفيف"]]),
        ("wide.csv", [["id", "Sami", "Noor", "notes"], ["10", "critical", "طارئ", "?"], ["11", "3", "", "low"],
                      ["12", "skip", "5", ""]]),
        ("wide.xlsx", [["question", "Sami", "Noor"], [TEXTS[0] + "؟", "حرج", 1], [TEXTS[1], "متوسطة", None],
                       [TEXTS[2], None, 4]]),
        ("settled.csv", [["id", "severity", "level", "label:Sami", "label:Noor"], ["10", "critical", "1", "1", "2"],
                         ["11", "neutral", "3", "3", ""], ["12", "non_critical", "5", "", "5"]]),
    ],
)  # fmt: skip
def test_a_table_in_any_layout_says_who_gave_which_label(tmp_path, dataset, name, rows):
    found = by_id(read(write(tmp_path / name, rows), dataset))
    assert found == SAID


def task(key, *annotations, **more):
    return {"id": 900 + int(key), "data": {"id": int(key), "text": "x"}, "annotations": list(annotations), **more}


def choice(value, who, name="severity", **more):
    values = value if isinstance(value, list) else [value]
    result = [{"type": "choices", "from_name": name, "value": {"choices": values}}] if value is not None else []
    other = {"type": "choices", "from_name": "body_part", "value": {"choices": ["chest"]}}
    return {"completed_by": who, "result": [other, *result], **more}


@pytest.mark.parametrize("whose", [lambda name: {"email": name, "id": 3}, lambda name: name])
def test_an_export_of_label_studio_with_several_annotators_and_skipped_tasks_is_read(tmp_path, dataset, whose):
    content = [
        task("10", choice("Critical", whose("Sami")), choice(["طارئة"], whose("Noor"))),
        task("11", choice("3", whose("Sami"), name="urgency"), choice("mild", whose("Noor"), was_cancelled=True)),
        task("12", choice("Routine", whose("Noor")), choice(None, whose("Sami")), predictions=[{"result": []}]),
        task("13"),
    ]
    assert by_id(read(write(tmp_path / "export.json", content), dataset)) == SAID


def test_a_flat_export_of_label_studio_is_read(tmp_path, dataset):
    content = [
        {"id": "10", "severity": "Critical", "annotator": "Sami", "annotation_id": 1, "lead_time": 2.5},
        {"id": "10", "severity": {"choices": ["Emergency"]}, "annotator": {"email": "Noor"}},
        {"id": "11", "severity": ["Urgent"], "annotator": "Sami"},
        {"id": 12, "severity": "low", "annotator": "Noor"},
    ]
    assert by_id(read(write(tmp_path / "min.json", content), dataset)) == SAID


def test_a_map_reads_what_nobody_knows_and_its_levels_are_kept(tmp_path, dataset):
    path = write(tmp_path / "p.csv", [["id", "severity"], ["10", "A"], ["11", "B"]])
    with pytest.raises(
        UserError, match=r"row 2 column 'severity': unknown severity 'A'.*--severity-map 'A=\.\.\.'"
    ):
        read(path, dataset)
    found = read(path, dataset, "A=2,B=routine")
    assert found.ranks[:, 0].tolist() == [2, 0] and found.levels[:, 0].tolist() == [2, 4]
    with pytest.raises(UserError, match="does not name 'B'"):
        read(path, dataset, "A=2")
    assert read(path, dataset, "A=2,B=4").sha256 == found.sha256 != read(path, dataset, "A=3,B=4").sha256


def test_votes_are_probabilities_what_was_settled_decides_and_the_rest_is_unknown(tmp_path, dataset):
    wide = write(tmp_path / "w.csv", [["id", "a", "b"], ["10", "2", "3"], ["11", "mild", "5"]])
    source = PeopleSource(read(wide, dataset), "w.csv")
    said = source.labels([*TEXTS[:3]])
    assert said.probabilities[0].tolist() == [0, 0.5, 0.5] and said.levels.tolist() == [2, 5, 0]
    assert said.probabilities[1].tolist() == [1, 0, 0] and (said.probabilities[2] != said.probabilities[2]).all()
    rows = [["id", "severity", "label:a", "label:b"], ["10", "neutral", "2", "3"]]
    settled = PeopleSource(read(write(tmp_path / "s.csv", rows), dataset), "s.csv")
    assert settled.probabilities(TEXTS[:1])[0].tolist() == [0, 1, 0]


def test_gold_and_audit_read_annotators_and_what_they_settled_on(tmp_path, dataset):
    rows = [["id", "severity", "label:a", "label:b"], ["10", "neutral", "2", "3"], ["11", "mild", "4", "4"]]
    path = write(tmp_path / "g.csv", rows)
    assert read_gold(path, ARABIC) == {"10": 1, "11": 0}
    table = read_gold_table(path, ARABIC, dataset)
    assert table.annotators == ["a", "b"] and table.ranks.tolist() == [1, 0] and table.overlapping
    assert read_gold(write(tmp_path / "long.csv", LONG), ARABIC) == {"10": 2, "11": 1, "12": 0}
    export = [task("10", choice("Critical", 1), choice("mild", 2), choice("mild", 3))]
    assert read_gold(write(tmp_path / "ls.json", export), ARABIC) == {"10": 0}


@pytest.mark.parametrize(
    ("name", "rows", "problem"),
    [
        ("a.csv", [["id", "severity"], ["10", "critical"], ["10.0", "mild"]], "row 3 labels '10' a second time"),
        ("a.csv", [["id", "annotator", "severity"], ["10", "a", "1"], ["10", "a", "2"]], "a second time by a"),
        ("a.csv", [["id", "annotator", "severity"], ["10", "", "1"]], "row 2 does not say who labelled it"),
        ("a.csv", [["id", "severity"], ["99", "critical"]], "1 complaints are not in .*: 99"),
        ("a.csv", [["question", "severity"], ["nobody asked", "critical"]], "not in .*: nobody asked"),
        ("a.csv", [["id", "severity"], ["10", "7"]], "level 7 is outside the scale"),
        ("a.csv", [["id", "severity"], ["10", ""], ["11", "skipped"]], "has no labels"),
        ("a.csv", [["id", "colour"], ["10", "bright"]], "has no column of severities"),
        ("a.csv", [["name", "severity"], ["10", "1"]], "has no id and no question"),
        ("a.csv", [["id", "Sami", "Sami"], ["10", "1", "1"]], "two columns 'Sami'"),
        ("a.csv", [["id", "Sami", "Noor"], ["10", "1", "2"], ["11", "1", "bright"]], "'bright'"),
        ("a.json", [task("10", choice(["Critical", "mild"], 1))], "annotation: Critical and mild"),
        ("a.json", [task("10", choice("purple", 1))], "task 1: unknown severity 'purple'"),
        ("a.json", [{"data": {"text": "x"}, "annotations": []}], "task 1 has no id and no question in its data"),
        ("a.json", [{"annotations": []}], "task 1 has no data"),
        ("a.json", [1, 2], "no list of tasks or records"),
        ("a.json", [task("10", choice("mild", 1), choice("critical", 1))], "a second time by 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line_with_its_place(tmp_path, dataset, name, rows, problem):
    with pytest.raises(UserError, match=problem) as error:
        read(write(tmp_path / name, rows), dataset)
    assert "\n" not in str(error.value) and error.value.remedy


def test_files_that_name_nobody_are_annotators_by_their_names(tmp_path, dataset):
    one = write(tmp_path / "sami.csv", [["id", "severity"], ["10", "1"]])
    other = write(tmp_path / "noor.csv", [["id", "severity"], ["10", "3"], ["11", "4"]])
    found = read_people([one, other], dataset, SeverityMap(None, ARABIC))
    assert by_id(found) == {"10": {"sami": 2, "noor": 1}, "11": {"noor": 0}}
