"""Input files as people have them: read right and said, or one line with the cause."""

import bz2
import gzip
import json
import lzma
import random
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.prepare import header_test, prepare
from maqa_severity.harness.data.sources import open_source
from maqa_severity.tests import input_cases
from maqa_severity.tests.tongues import ARABIC

OPTIONS = PrepareOptions(ARABIC, test=Share(rows=0), validation=Share(rows=0))
ROWS = [
    {
        "question": f"عندي ألم في الرأس منذ {n} أيام",
        "answer": f"راجع الطبيب بعد {n} أيام من الراحة",
        "severity": level,
    }
    for n, level in enumerate(["critical", "neutral", "non_critical", "neutral"])
]
FRAME = pd.DataFrame(ROWS)
CSV = FRAME.to_csv(index=False)


def found(path, **reading):
    """Questions, answers and severities as records, and all that is said."""
    opened = open_source(path, reading, header_test(path, OPTIONS))
    places = [opened.columns.index(name) for name in ("question", "answer", "severity")]
    batches = list(opened.batches(places))
    cells = [[cell for batch in batches for cell in batch.columns[at].to_pylist()] for at in range(3)]
    rows = [dict(zip(("question", "answer", "severity"), row, strict=True)) for row in zip(*cells, strict=True)]
    return rows, {note.key: note.values for note in opened.notes}


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(content, *names):
    import io

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("s.csv", "\ufeff" + CSV, None),
        ("s.csv", FRAME.to_csv(index=False, sep=";").encode("cp1256"), "reading.encoding"),
        ("s.csv", FRAME.to_csv(index=False).encode("iso8859_6"), "reading.encoding"),
        ("s.csv", CSV.encode("utf-16"), "reading.encoding"),
        ("s.txt", FRAME.to_csv(index=False, sep="\t").encode("utf-16-be"), "reading.encoding"),
        ("s.csv", "sep=;\n" + FRAME.to_csv(index=False, sep=";"), "reading.sep_line"),
        ("s.csv", FRAME.to_csv(index=False, sep="؛"), "reading.delimiter"),
        ("s.psv", FRAME.to_csv(index=False, sep="|"), None),
        ("s.csv", "بيانات المرضى\n\n" + CSV, "reading.header_row"),
        ("s.csv", CSV.replace("ألم", "أل\0م"), "reading.controls"),
        ("s.xls", CSV, "reading.content"),
        ("s.csv", json.dumps(ROWS), "reading.content"),
        ("s.json", json.dumps(ROWS, indent=1), None),
        ("s.json", FRAME.to_json(), None),
        ("s.json", FRAME.to_json(orient="split"), None),
        ("s.json", FRAME.to_json(orient="table", index=False), "reading.nested"),
        ("s.json", FRAME.to_json(orient="index"), None),
        ("s.json", json.dumps(FRAME.to_dict(orient="list")), None),
        ("s.json", json.dumps({"result": {"rows": ROWS}}), "reading.nested"),
        ("s.json", json.dumps({"rows": [{"row_idx": 0, "row": row} for row in ROWS]}), "reading.unwrapped"),
        ("s.ndjson", "\n".join(map(json.dumps, ROWS)), None),
        ("s.csv.gz", gzip.compress(CSV.encode()), None),
        ("s.csv.bz2", bz2.compress(CSV.encode()), None),
        ("s.csv.xz", lzma.compress(CSV.encode()), None),
        ("s.csv.zst", pa.compress(CSV.encode(), "zstd", asbytes=True), None),
        ("s.csv", gzip.compress(CSV.encode()), None),
        ("s.csv.zip", zipped(CSV, "s.csv", "__MACOSX/._s.csv"), None),
        ("data.zip", zipped(CSV, "s.csv", "__MACOSX/._s.csv"), None),
        ("s.xls", FRAME.to_html(index=False), "reading.content"),
        ("s.html", FRAME.to_html(index=False).encode("cp1256"), "reading.encoding"),
        ("s.csv", FRAME.to_csv(index=False, quotechar="'", quoting=1), "reading.single_quotes"),
        ("s.parquet", CSV, "reading.content"),
    ],
)
def test_rows_are_the_same_in_every_form(tmp_path, name, content, said):
    rows, notes = found(write(tmp_path, name, content))
    assert rows == ROWS
    assert said is None or said in notes


def test_quotes_after_a_backslash_are_part_of_the_cell(tmp_path):
    text = 'question,answer,severity\n"x","he said \\\\"yes\\\\", then","neutral"\n'.replace("\\\\", "\\")
    rows, notes = found(write(tmp_path, "s.csv", text))
    assert rows[0]["answer"] == 'he said "yes", then' and "reading.backslash" in notes


def test_encoding_and_delimiter_can_be_named(tmp_path):
    path = write(tmp_path, "s.csv", FRAME.to_csv(index=False, sep="~").encode("cp1256"))
    assert found(path, encoding="windows-1256", delimiter="~")[0] == ROWS
    for reading, words in [
        ({"encoding": "foo"}, "no encoding that is known"),
        ({"encoding": "utf-16"}, "is not in utf-16"),
        ({"delimiter": "xx"}, "is no delimiter"),
        ({"subset": "a"}, "has no subsets to choose from"),
    ]:
        with pytest.raises(UserError, match=words):
            found(path, **reading)


def test_a_hub_id_without_a_network_is_one_line(tmp_path, monkeypatch):
    import datasets
    from maqa_severity.harness.data.sources import hub

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "_reached", lambda: False)
    with pytest.raises(UserError, match=r"no-owner/no-data is no file or folder here"):
        found(hub.Path("no-owner/no-data"))


def test_columns_of_arrow_and_workbooks_are_read(tmp_path):
    FRAME.astype("category").to_parquet(tmp_path / "s.parquet")
    FRAME.to_feather(tmp_path / "s.feather")
    pa.parquet.write_table(pa.table({"row": pa.array(ROWS)}), tmp_path / "struct.parquet")
    for name in ("s.parquet", "s.feather", "struct.parquet"):
        assert found(tmp_path / name)[0] == ROWS


def test_merged_cells_are_filled_and_said(tmp_path):
    book = openpyxl.Workbook()
    for cells in (["سجل المرضى"], list(ROWS[0]), *(list(row.values()) for row in ROWS)):
        book.active.append(cells)
    book.active["C4"] = None
    book.active.merge_cells("C3:C4")
    book.create_sheet("_lists").append(["critical"])
    book["_lists"].sheet_state = "hidden"
    book.save(tmp_path / "s.xlsx")
    rows, notes = found(tmp_path / "s.xlsx")
    assert [row["severity"] for row in rows] == ["critical", "critical", "non_critical", "neutral"]
    assert notes["reading.merged"] == {"column": "severity", "areas": "1", "cells": "1"}
    assert notes["reading.header_row"] == {"row": 2} and notes["reading.sheets"]["others"] == "_lists"
    assert found(tmp_path / "s.xlsx", header_row="2")[0] == rows


def test_a_formula_that_was_never_calculated_is_named(tmp_path):
    book = openpyxl.Workbook()
    for cells in (["question", "answer", "severity"], ["سؤال", "جواب", '=IF(1,"critical","")']):
        book.active.append(cells)
    book.save(tmp_path / "s.xlsx")
    with pytest.raises(UserError, match=r"sheet 'Sheet' cell C2 holds a formula that was never calculated"):
        found(tmp_path / "s.xlsx")


def test_parts_are_read_in_order_and_one_that_differs_is_named(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("_SUCCESS", ".hidden.csv", "README.md"):
        (folder / name).write_text("x")
    for number in (0, 1, 10, 2):
        FRAME.iloc[[min(number, 3)]].to_csv(folder / f"part-{number}.csv", index=False)
    order = [ROWS[0], ROWS[1], ROWS[2], ROWS[3]]
    for path in (folder, tmp_path / "parts" / "*.csv"):
        rows, notes = found(path)
        assert rows == order and notes["reading.parts"]["count"] == "4"
    (folder / "part-3.csv").write_text("question,answer\nx,y\n")
    with pytest.raises(UserError, match=r"part-3\.csv has other columns than part-0\.csv: it lacks 'severity'"):
        found(folder)


def test_what_is_not_used_is_named(tmp_path):
    table = FRAME.rename(columns={"severity": "triage_final"}).assign(doctor="x")
    _, card = prepare(write(tmp_path, "s.csv", table.to_csv(index=False)), tmp_path / "d", OPTIONS)
    said = " ".join(card.reading)
    assert "Columns not used: 'triage_final', 'doctor'" in said
    assert "may hold severities (critical, neutral, non_critical): name it with --severity-column" in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.csv", "<!DOCTYPE html><html></html>", "is a web page without a table"),
        ("s.csv", CSV.encode() + b"\xff\xe9", "is UTF-8 but for bytes of another encoding"),
        ("s.json", "[" + json.dumps(ROWS[0]) + ",]", "a comma is followed by no value"),
        ("data.zip", zipped(zipped(CSV, "s.csv"), "s.zip"), "is an archive in an archive"),
        ("s.csv", b"%PDF-1.7 x", "is a PDF"),
        ("s.csv.gz", gzip.compress(CSV.encode())[:-20], "is a damaged gzip file"),
        ("s.zip", b"PK\x03\x04broken", "is a damaged zip file"),
        ("s.json", "[" * 100_000, "is nested too deep"),
        ("s.json", '[{"question": "x", "question": "y"}]', "the key 'question' stands twice"),
        ("s.json", '{"question": ["x"], "answer": []}', "columns of different lengths"),
        ("s.csv", ",".join(map(str, range(20_000))) + "\n", "20,000 columns or more"),
        ("s.csv", 'question,answer\nx,"y\nz,w\n', "a quote is opened in this row and never closed"),
        ("s.csv", b"question,answer,severity\nx,\xff\xe9\xc7,y\n", "name its encoding with --encoding"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, words):
    with pytest.raises(UserError, match=words.replace("(", r"\(")):
        found(write(tmp_path, name, content))


def test_an_archive_that_swells_is_refused(tmp_path, monkeypatch):
    from maqa_severity.harness.data.sources import archives

    monkeypatch.setattr(archives, "_FREE", 1 << 16)
    with pytest.raises(UserError, match="swells from"):
        found(write(tmp_path, "s.csv.gz", gzip.compress(b"x" * (1 << 22))))


@pytest.mark.parametrize("seed", range(300))
def test_damaged_bytes_are_read_or_named(tmp_path, seed, wholes):
    name, content = wholes[seed % len(wholes)]
    path = write(tmp_path, name, damaged(content, random.Random(seed)))
    try:
        found(path)
    except UserError:
        pass
    except ValueError as error:
        assert "is not in list" in str(error)


def damaged(content, draw):
    """Bytes changed, cut, doubled or put in."""
    content = bytearray(content)
    for _ in range(draw.choice([1, 3, 20])):
        place = draw.randrange(len(content))
        kind = draw.randrange(4)
        if kind == 0:
            content[place] = draw.randrange(256)
        elif kind == 1:
            content[place : place + draw.randrange(50)] = b""
        elif kind == 2:
            content[place:place] = content[place : place + 40]
        else:
            content[place:place] = draw.choice([b"\0", b'"', b"[", b"{", b"\xff\xff", b",,", b"\n"])
        content = content or bytearray(b"x")
    return bytes(content)


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wholes")
    FRAME.to_parquet(folder / "s.parquet")
    FRAME.to_feather(folder / "s.feather")
    FRAME.to_excel(folder / "s.xlsx", index=False)
    files = [(each.name, each.read_bytes()) for each in sorted(folder.iterdir())]
    texts = {"s.csv": CSV, "s.json": json.dumps(ROWS), "s.jsonl": "\n".join(map(json.dumps, ROWS))}
    files += [(name, text.encode()) for name, text in texts.items()]
    files += [("s.csv.gz", gzip.compress(CSV.encode())), ("s.csv.xz", lzma.compress(CSV.encode()))]
    return [*files, ("s.zip", zipped(CSV, "a.csv", "b.csv")), ("t.csv", CSV.encode("cp1256"))]


@pytest.mark.skipif(not input_cases.FOLDER.is_dir(), reason="the files are not here")
@pytest.mark.parametrize("case", input_cases.CASES, ids=lambda case: case.name)
def test_the_files_that_people_reported_are_read_right(case, tmp_path):
    assert input_cases.problem(case, input_cases.FOLDER, tmp_path / "out") == ""
