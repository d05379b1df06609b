"""Bad input of ``maqa prepare``: one line that names the place and the remedy, status 2, nothing written."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from maqa_severity import cli
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.sources import open_source

GOOD = "question,answer\nالم,راجع الطبيب\nصداع,اشرب ماء\n"
PROBABILITIES = "question,answer,p_nc,p_n,p_c\nالم,راجع الطبيب,0.2,0.3,0.5\n"


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run ``maqa prepare SOURCE --out tmp_path/d ...``; demand one line and no change on disk; return the line."""

    def run(source: Path, *arguments: str, out: Path = tmp_path / "d") -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        monkeypatch.setattr(sys, "argv", ["maqa", "prepare", str(source), "--out", str(out), *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        captured = capsys.readouterr()
        lines = [line for line in captured.err.splitlines() if line.startswith("maqa: ")]
        assert exit_.value.code == 2
        assert len(lines) == 1 and captured.err.rstrip().endswith(lines[0])
        assert captured.out == ""
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        assert out in before or not (tmp_path / "d").exists() or list((tmp_path / "d").iterdir())
        return lines[0]

    return run


def text_file(folder: Path, content: str | bytes, name: str = "s.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.csv", "", "s.csv is empty"),
        ("s.csv", "\n\n", "s.csv is empty"),
        ("s.jsonl", "", "s.jsonl is empty"),
        ("s.jsonl", "\n", "s.jsonl is empty"),
        ("s.csv", "question,answer\n", "has a header but no rows"),
        ("s.csv", "question,answer\n?,\n", "no row with a question and an answer"),
        ("s.csv", "frage,answer\nx,y\n", "no column that is known as the question; it has 'frage', 'answer'"),
        ("s.csv", "question,told\nx,y\n", "no column that is known as the answer"),
        ("s.csv", "question,answer,answer\nx,y,z\n", "two columns 'answer'"),
        ("s.doc", GOOD, "unknown extension '.doc'"),
        ("s.csv", GOOD + "x,y,z\n", "s.csv row 4 has 3 cells where the header has 2"),
        ("s.csv", GOOD + "x\n", "s.csv row 4 has 1 cells where the header has 2"),
        ("s.csv", GOOD + 'x,"y" z\n', "s.csv row 4 (line 4) is not readable"),
        ("s.csv", GOOD + 'x,"y\n', "s.csv row 4 (line 4) is not readable"),
        (
            "s.csv",
            GOOD.encode() + b"x,\xff\n",
            f"of another encoding, the first at byte {len(GOOD.encode()) + 2} (line 4)",
        ),
        (
            "s.csv",
            GOOD.encode() + "ا".encode()[:1],
            f"of another encoding, the first at byte {len(GOOD.encode())} (line 4)",
        ),
        ("s.jsonl", '{"question": "x", "answer": "y"}\n{"question"\n', "s.jsonl row 2 is not JSON"),
        ("s.jsonl", "[" * 100_000, "s.jsonl is not JSON at character 1 (value 1): it is nested too deep"),
        ("s.jsonl", '{"question": "x", "answer": "y"}\n["x", "y"]\n', "s.jsonl row 2 is no JSON object"),
        ("s.jsonl", '{"question": "x", "answer": [1]}\n', "s.jsonl row 1 holds list"),
        ("s.jsonl", '{"question": "x", "answer": "\\ud83d"}\n', "s.jsonl row 1 holds broken Unicode"),
        ("s.csv", "question,answer,severity\nx,y,mild\nz,y,purple\n", "s.csv row 3: unknown severity 'purple'"),
        (
            "s.csv",
            PROBABILITIES + "x,y,0.2,0.3,0.4\n",
            "s.csv row 3: probabilities 0.2, 0.3, 0.4 sum to 0.9, not to 1",
        ),
        (
            "s.csv",
            PROBABILITIES + "x,y,20,30,50\n",
            "s.csv row 3: probabilities 20, 30, 50 are not all between 0 and 1",
        ),
        (
            "s.csv",
            "q_body,a_body,p_nc,p_n,p_c\na,b,20,30,50\nx,y,0.2,0.3,0.5\n",
            "s.csv row 3: probabilities 0.002",
        ),
        ("s.csv", PROBABILITIES + "x,y,nan,0.5,0.5\n", "s.csv row 3: a probability is missing or no number"),
        ("s.csv", PROBABILITIES + "x,y,,0.5,0.5\n", "s.csv row 3: a probability is missing or no number"),
        ("s.csv", PROBABILITIES + "x,y,a lot,0.5,0.5\n", "s.csv row 3: a probability is missing or no number"),
        ("s.csv", PROBABILITIES + "x,y,inf,0.5,0.5\n", "s.csv row 3: a probability is missing or no number"),
        (
            "s.jsonl",
            '{"question":"x","answer":"y","p_nc":NaN,"p_n":0.5,"p_c":0.5}',
            "row 1: a probability is missing",
        ),
        ("s.csv", "question,answer,p_nc\nx,y,1\n", "'p_nc' but none for p_neutral"),
        ("s.csv", "id,question,answer\n7,x,y\n7,z,y\n", "s.csv row 3 has the id '7' of row 2"),
        ("s.xlsx", "PK no zip", "not a readable xlsx file"),
        ("s.parquet", "PAR1", "not a readable parquet file"),
        ("s.sqlite", "not a database at all, however long it is", "not a readable sqlite database"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, refused: Callable[..., str], name: str, content: str | bytes, words: str
) -> None:
    assert words in refused(text_file(tmp_path, content, name))


def test_a_source_that_is_no_file_is_named(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "does not exist" in refused(tmp_path / "nothing.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "holds no data that can be read" in refused(tmp_path / "folder.csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--question-column", "frage"), "has no column 'frage'; it has 'question', 'answer'"),
        (("--severity-column", "urgency"), "has no column 'urgency'"),
        (("--answer-column", "question"), "column 'question' would be both question and answer"),
        (("--probability-columns", "a,b"), "'a,b' does not name three columns"),
        (("--probability-columns", "a,b,c"), "has no column 'a'"),
        (("--test", "1", "--validation", "2"), "1 test + 2 validation rows are more than the 2 kept"),
        (("--test", "0.8", "--validation", "0.7"), "test 0.8 + validation 0.7 is more than all rows"),
        (("--test", "3"), "3 test + 0 validation rows are more than the 2 kept"),
        (("--test", "many"), "split size 'many'"),
        (("--test", "-1"), "split size '-1'"),
        (("--test", "1.5"), "split size '1.5'"),
        (("--test", "nan.0"), "split size 'nan.0'"),
        (("--sheet", "x"), "has no sheets"),
        (("--table", "x"), "has no tables to choose from"),
    ],
)
def test_an_option_that_does_not_fit_is_named(
    tmp_path: Path, refused: Callable[..., str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(text_file(tmp_path, GOOD), *arguments)


def test_a_workbook_is_read_only_if_the_sheet_is_clear(tmp_path: Path, refused: Callable[..., str]) -> None:
    book = openpyxl.Workbook()
    empty = tmp_path / "empty.xlsx"
    book.save(empty)
    assert "is empty" in refused(empty)
    for sheet in (book.active, book.create_sheet("Other")):
        sheet.append(["question", "answer"])
        sheet.append(["x", "y"])
    both = tmp_path / "both.xlsx"
    book.save(both)
    assert "several sheets: 'Sheet', 'Other'" in refused(both)
    assert "has no sheet 'Third'" in refused(both, "--sheet", "Third")
    book["Other"].append(["z", "y", "more"])
    book.save(both)
    assert "row 3 has more cells than the header" in refused(both, "--sheet", "Other")
    whole = both.read_bytes()
    both.write_bytes(whole[: len(whole) // 2])
    assert "not a readable xlsx file" in refused(both)


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_workbook_is_read_or_named(tmp_path: Path, seed: int) -> None:
    rows = pd.DataFrame({"question": [f"سؤال {n}" for n in range(100)], "answer": "راجع الطبيب"})
    rows.to_excel(tmp_path / "s.xlsx", index=False)
    content = bytearray((tmp_path / "s.xlsx").read_bytes())
    draw = random.Random(seed)
    for _ in range(20):
        content[draw.randrange(len(content))] = draw.randrange(256)
    (tmp_path / "s.xlsx").write_bytes(content)
    with suppress(UserError):
        source = open_source(tmp_path / "s.xlsx")
        assert sum(len(batch.numbers) for batch in source.batches([0])) <= len(rows)


def test_names_that_are_no_utf_8_are_one_line(tmp_path: Path, refused: Callable[..., str]) -> None:
    parquet, database = tmp_path / "s.parquet", tmp_path / "s.sqlite"
    pd.DataFrame({"question": ["x"], "answer": ["y"], "weight": [1]}).to_parquet(parquet)
    parquet.write_bytes(parquet.read_bytes().replace(b"weight", b"weigh\xff"))
    assert "s.parquet is not a readable parquet file" in refused(parquet)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE one (question, answer)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET name = CAST(x'ff' AS TEXT)")
        connection.commit()
    assert "s.sqlite is not a readable sqlite database" in refused(database)


def test_a_database_is_read_only_if_the_table_is_clear(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = tmp_path / "s.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE one (question, answer)")
        database.execute("DROP TABLE one")
        database.commit()
        assert "has no tables" in refused(path)
        database.execute("CREATE TABLE one (question, answer)")
        database.commit()
        assert "has a header but no rows" in refused(path)
        database.execute("INSERT INTO one VALUES ('x', CAST(x'ff' AS TEXT))")
        database.commit()
        assert "row 1 is not UTF-8" in refused(path)
        database.execute("CREATE TABLE two (question, answer)")
        database.commit()
    assert "several tables: 'one', 'two'" in refused(path)
    assert "has no table 'three'" in refused(path, "--table", "three")


def test_a_parquet_that_holds_no_text_is_named(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = tmp_path / "s.parquet"
    pd.DataFrame({"question": ["x"], "answer": [[1]]}).to_parquet(path)
    assert "row 1 holds list" in refused(path)
    pd.DataFrame({"question": ["x", "y"], "answer": [b"y", b"\xff"]}).to_parquet(path)
    assert "row 2 column 'answer' is not UTF-8" in refused(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "not a readable parquet file" in refused(path)


@pytest.mark.parametrize("name", ["s.parquet", "s.feather"])
def test_two_columns_of_one_name_are_named(tmp_path: Path, refused: Callable[..., str], name: str) -> None:
    text = pa.array(["x"])
    table = pa.table([text, text, text], ["question", "question", "answer"])
    (pq.write_table if name == "s.parquet" else feather.write_feather)(table, tmp_path / name)
    assert f"{name} has two columns 'question'. Rename one of them" in refused(tmp_path / name)


def test_probability_columns_that_contradict_the_labels_are_not_guessed(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    rows = "".join(f"q{n},a,critical,0.7,0.2,0.1\n" for n in range(9))
    path = text_file(tmp_path, "question,answer,Predicted class,class1 prob,class2 prob,class3 prob\n" + rows)
    assert "not the most likely one in 9 of 9 rows" in refused(path)


def test_an_output_folder_in_use_is_left_alone(tmp_path: Path, refused: Callable[..., str]) -> None:
    source = text_file(tmp_path, GOOD)
    assert "holds files but no dataset.json" in refused(source, "--overwrite", out=tmp_path)
    assert "is an input of this command" in refused(source, out=source)
    assert "cannot use" in refused(source, out=source / "d")
    assert "cannot write /proc/maqa-dataset" in refused(source, out=Path("/proc/maqa-dataset"))


def test_a_dataset_is_replaced_only_with_overwrite(tmp_path: Path, refused: Callable[..., str]) -> None:
    source = text_file(tmp_path, GOOD)
    command = [sys.executable, "-m", "maqa_severity", "prepare", str(source), "--out", str(tmp_path / "d")]
    assert subprocess.run(command, check=False).returncode == 0
    assert "Replace it with --overwrite" in refused(source)
    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert again.returncode == 2 and len(again.stderr.splitlines()) == 1
    before = (tmp_path / "d" / "test.parquet").read_bytes()
    source.write_text(GOOD + "x,y\nz,y\nv,y\n")
    assert subprocess.run([*command, "--overwrite", "--test", "0.5"], check=False).returncode == 0
    assert (tmp_path / "d" / "test.parquet").read_bytes() != before
