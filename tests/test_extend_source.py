"""A new kind of source is one file and one line: here records of `key: value` lines, as recutils has them."""

import json

import pandas as pd
import pytest
from maqa_severity.harness.data.sources.readers import Option, source
from maqa_severity.tests.extend_docs import extend
from maqa_severity.tests.scratch import maqa, python, scratch_copy

RECORDS = """%rec: Asked

question: عندي صداع
answer: راجع الطبيب
severity: neutral

question: الم في الصدر
answer: اذهب الى الطوارئ
severity: critical

%rec: Other

question: سؤال
answer: جواب
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    package = scratch_copy(tmp_path_factory.mktemp("rec"))
    extend(package, "A source")
    return package


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "x.rec"
    path.write_text(RECORDS, encoding="utf-8")
    return path


def test_it_is_prepared_with_its_option(extended, records, tmp_path):
    done = maqa(extended, "prepare", str(records), "--out", str(tmp_path / "d"), "--record-type", "Asked")
    assert done.returncode == 0, done.stderr
    info = json.loads((tmp_path / "d" / "dataset.json").read_text())
    assert (info["source"], info["counts"]["train"]["rows"]) == ("x.rec", 2)
    rows = pd.read_parquet(tmp_path / "d" / "train.parquet")
    assert set(rows["severity"]) == {"neutral", "critical"} and set(rows["answer"]) == {
        "راجع الطبيب",
        "اذهب الى الطوارئ",
    }


@pytest.mark.parametrize("command", ["prepare", "score"])
def test_the_help_of_what_reads_sources_names_it_and_its_option(extended, command):
    shown = " ".join(maqa(extended, command, "--help").stdout.split())
    assert "xlsx, xls, html, sqlite or rec file, plain or compressed" in shown.lower()
    assert "--record-type <str> Type of a rec file's records." in shown


def test_errors_name_it(extended, records, tmp_path):
    strange = tmp_path / "x.doc"
    strange.write_text("x")
    done = maqa(extended, "prepare", str(strange), "--out", str(tmp_path / "d"))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "unknown extension '.doc'" in done.stderr and ".rec, .recs" in done.stderr
    done = maqa(extended, "prepare", str(records), "--out", str(tmp_path / "d"), "--sheet", "x")
    assert done.returncode == 2 and "x.rec has no sheets to choose from. Leave --sheet out" in done.stderr
    csv = tmp_path / "x.csv"
    csv.write_text("question,answer\nx,y\n")
    done = maqa(extended, "prepare", str(csv), "--out", str(tmp_path / "d"), "--record-type", "A")
    assert done.returncode == 2
    assert "x.csv has no record types to choose from. Leave --record-type out: it is for rec files" in done.stderr


def test_answers_and_gold_labels_are_read_from_it_too(extended, tmp_path):
    answers, gold = tmp_path / "answers.recs", tmp_path / "gold.rec"
    answers.write_text("prediction: نعم\nreference: لا\n", encoding="utf-8")
    gold.write_text("id: a\nseverity: critical\n", encoding="utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from maqa_severity.harness.metrics.answers_file import read_answers\n"
        "from maqa_severity.harness.labelling.quality.gold import read_gold\n"
        "from maqa_severity.harness.languages import language\n"
        "print(len(read_answers(Path(sys.argv[1])).ids), read_gold(Path(sys.argv[2]), language('ar')))"
    )
    done = python(extended, "-c", code, str(answers), str(gold))
    assert done.stdout == "1 {'a': 2}\n", done.stderr


def test_two_readers_of_one_ending_are_refused_with_both_places():
    with pytest.raises(ValueError, match=r"two source endings are called '\.csv': .*open_csv and .*open_again"):

        @source(".csv", name="csv again")
        def open_again(path):
            """Never."""


def test_readers_may_share_an_option_but_not_its_name():
    from maqa_severity.harness.data.sources import readers

    with pytest.raises(ValueError, match=r"two option of a sources are called 'sheet'"):

        @source(".fods", options=[Option("sheet", "Another one.", among="sheets")])
        def open_ods(path, sheet=None):
            """Never."""

    assert sorted(option.name for option in readers.options()) == [
        *("delimiter", "encoding", "header_row", "sheet", "subset", "table")
    ]
