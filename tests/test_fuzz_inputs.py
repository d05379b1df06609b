"""A few of the malformed inputs of ``fuzz_inputs``, and that it sees what is wrong."""

import random
import re

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.files import read_json, write_json
from maqa_severity.tests import fuzz_inputs
from maqa_severity.tests.fuzz_inputs import fuzz, inputs, tried
from maqa_severity.tests.malformed import damaged, hostile, valid

LIGHT = [
    "csv",
    "tsv",
    "cp1256.csv",
    "utf16.csv",
    "jsonl",
    "chat.jsonl",
    "json",
    "html",
    "parquet",
    "csv.gz",
    "yaml",
]


def test_malformed_inputs_end_in_one_line_or_are_read(tmp_path):
    found = [tried(name, content, tmp_path) for name, content in inputs(60, 0, tmp_path, LIGHT)]
    assert [outcome for outcome in found if outcome.fails] == []
    assert {outcome.said == "read" for outcome in found} == {True, False}


def test_every_valid_file_is_read(tmp_path):
    light = {end: content for end, content in valid(tmp_path).items() if end in LIGHT}
    assert len(light) == len(LIGHT)
    assert {end: tried(f"a.{end}", content, tmp_path).said for end, content in light.items()} == dict.fromkeys(
        LIGHT, "read"
    )


def test_a_sheet_whose_archive_has_lost_its_end_is_one_line(tmp_path):
    for end in ("ods", "xlsx"):
        outcome = tried(f"a.{end}", valid(tmp_path)[end][:-30], tmp_path)
        assert f"is not a readable {end} file" in outcome.said, outcome


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"question": "x", "answer": "y"},', "is not readable JSON|ends|value"),
        ('{"question": ["x", "z"], "answer": ["y", "w"], "\\ud800": ["a", "b"]}', "^read$"),
    ],
)
def test_json_that_ends_after_a_comma_is_one_line_and_half_a_character_is_kept(text, said, tmp_path):
    outcome = tried("a.json", text.encode(), tmp_path)
    assert re.search(said, outcome.said) and not outcome.fails, outcome
    write_json(tmp_path / "b.json", {"\ud800": "س"})
    assert read_json(tmp_path / "b.json", "") == {"\ud800": "س"}


def test_inputs_follow_from_the_seed(tmp_path):
    seeds = valid(tmp_path)
    one, again, other = (damaged("csv", seeds, random.Random(seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_tracebacks_several_lines_and_what_takes_too_much_are_seen(tmp_path, monkeypatch):
    def broken(path):
        raise {"a": ZeroDivisionError("made up"), "b": UserError("fine", "Mend it")}[path.stem]

    monkeypatch.setattr(fuzz_inputs, "read", broken)
    assert "made up" in tried("a.csv", b"", tmp_path).wrong
    assert not tried("b.csv", b"", tmp_path).fails
    monkeypatch.setattr(fuzz_inputs, "LARGEST", 1000)
    assert tried("b.csv", b"", tmp_path).fails


@pytest.mark.slow
def test_what_was_made_to_hurt_does_not():
    found = list(fuzz(10, 0))
    assert len(found) == 10 + len(hostile())
    assert [outcome for outcome in found if outcome.fails] == []
