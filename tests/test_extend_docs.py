"""Every change that ``docs/extend.md`` shows is made in one copy of the package, and stands where it should."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from maqa_severity.tests.extend_docs import PAGE, Change, extend, sections
from maqa_severity.tests.scratch import python, scratch_copy

RECORDS = "%rec: Asked\n\n" + "\n".join(
    f"Frage: Was hilft gegen {word} an Tag {day}?\nAntwort: Gegen {word} {advice}\nDringlichkeit: {severity}\n"
    for day in range(2)
    for word, advice, severity in (
        ("Atemnot", "hilft nur der Notruf.", "kritisch"),
        ("Fieber", "hilft eine Untersuchung.", "mittel"),
        ("Schnupfen", "hilft Ruhe.", "leicht"),
    )
)

WALK = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from maqa_severity.cli import main

printed = []
for arguments in json.loads(sys.argv[1]):
    sys.argv, said = ["maqa", *arguments], io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            assert not end.code, said.getvalue()
    printed.append(said.getvalue())

from maqa_severity.tasks.families import FAMILIES
from maqa_severity.tasks.write import write

tasks = [f"{path.parent.name}/{path.name}" for path in write()]
print(json.dumps({"printed": printed, "tasks": tasks, "families": list(FAMILIES)}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    package = scratch_copy(tmp_path_factory.mktemp("extended"))
    extend(package, *sections())
    return package


@pytest.fixture(scope="module")
def walked(package, tmp_path_factory):
    """German records, prepared, answered by the parrot, ranked and reported; what was printed, by step."""
    out = tmp_path_factory.mktemp("walked")
    (out / "x.rec").write_text(RECORDS, encoding="utf-8")
    parrot = "--model parrot --model-args word=Gegen --bertscore-model none"
    reading = "--language de --record-type Asked"
    steps = {
        "prepare": f"prepare {out}/x.rec {reading} --test 6 --validation 0 --out {out}/data",
        "evaluate": f"evaluate {parrot} --data {out}/data --out {out}/run",
        "leaderboard": f"leaderboard {out}/run --metric first_word --out {out}/board",
        "report": f"report {out}/run --metric first_word --out {out}/report.html",
        "train": "train lm --help",
        "help": "evaluate --help",
        "score": "score --help",
    }
    done = python(package, "-c", WALK, json.dumps([step.split() for step in steps.values()]))
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    printed = {name: " ".join(said.split()) for name, said in zip(steps, found["printed"], strict=True)}
    return {**found, "printed": printed, "out": out}


def test_every_block_of_the_page_is_a_change_that_is_made():
    page = PAGE.read_text(encoding="utf-8")
    assert sum(map(len, sections().values())) == page.count("```") / 2
    anchors = [heading.lower().replace(" ", "-") for heading in sections()]
    assert re.findall(r"\| \[a[^]]*]\(#([^)]+)\)", page) == anchors and all(sections().values())


def test_a_diff_whose_surroundings_are_gone_is_noticed(tmp_path):
    (tmp_path / "x.py").write_text("one\ntwo\none\n")
    Change("x.py", False, "+zero\n one\n two\n+three\n").make(tmp_path)
    assert (tmp_path / "x.py").read_text() == "zero\none\ntwo\nthree\none\n"
    for gone in (" four\n+five\n", " one\n+five\n", "-two\n+five\n"):
        with pytest.raises(AssertionError):
            Change("x.py", False, gone).make(tmp_path)


def test_what_the_page_shows_is_in_the_style_of_the_house(package):
    paths = [change.path for each in sections().values() for change in each if change.path.endswith(".py")]
    for command in (["check", "-q"], ["format", "-q", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, *dict.fromkeys(paths)]
        done = subprocess.run(ruff, cwd=package, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.weekly
@pytest.mark.slow
def test_what_the_page_shows_is_typed_and_imports_downwards(package):
    here = {**os.environ, "PYTHONPATH": str(package.parent), "MYPYPATH": str(package.parent)}
    linter = str(Path(sys.executable).with_name("lint-imports"))
    for command in ([sys.executable, "-m", "mypy", "-p", "maqa_severity"], [linter]):
        done = subprocess.run(command, cwd=package, env=here, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_metric_and_the_detector_stand_in_every_table(walked):
    assert "first_word" in walked["printed"]["evaluate"] and "mentions_price" in walked["printed"]["evaluate"]
    signed = json.loads((walked["out"] / "run" / "manifest.json").read_text())["scoring"]["signatures"]
    assert signed["first_word"].startswith("refs:1|norm:de-") and "mentions_price" in signed
    (row,) = board_rows(walked)
    assert float(row["first_word_overall"]) == 100 and float(row["mentions_price_overall"]) == 0
    page = (walked["out"] / "report.html").read_text(encoding="utf-8")
    assert "<small>asks for money</small>" in page and "first_word" in page


def test_the_arm_stands_in_the_help_by_its_docstring(walked):
    assert "poly Severity weights; tokens that are not known yet count for more" in walked["printed"]["train"]


def test_the_backend_stands_in_help_and_manifest_and_its_argument_in_its_identity(walked):
    assert "parrot" in walked["printed"]["help"]
    model = json.loads((walked["out"] / "run" / "manifest.json").read_text())["model"]
    assert model["identity"]["model_args"] == {"word": "Gegen"} and model["identity"]["backend"].startswith("rich ")


def test_the_source_and_its_option_stand_where_sources_are_read(walked):
    info = json.loads((walked["out"] / "data" / "dataset.json").read_text(encoding="utf-8"))
    assert (info["source"], info["counts"]["test"]["rows"]) == ("x.rec", 6)
    assert "--record-type <str> Type of a rec file's records." in walked["printed"]["score"]


def test_the_column_stands_on_terminal_csv_and_page(walked):
    (row,) = board_rows(walked)
    assert row["made"] == "PARROT" and "made by" in walked["printed"]["leaderboard"]
    assert "<button>made by</button>" in (walked["out"] / "board" / "index.html").read_text()


def test_the_language_is_asked_in_its_prompt_and_what_it_lacks_is_named(walked):
    assert json.loads((walked["out"] / "data" / "dataset.json").read_text())["language"] == "de"
    manifest = json.loads((walked["out"] / "run" / "manifest.json").read_text())
    assert (manifest["prompt"]["language"], manifest["prompt"]["template"]) == ("de", "Frage: {question}\nAntwort:")
    assert manifest["decoding"]["until"] == ["\nAntwort:", "\nFrage:"]
    assert any(each.startswith("German has no safety lexicon") for each in manifest["left_out"])


def test_the_family_has_its_files_written_with_the_new_metric(package, walked):
    assert walked["families"] == ["maqa_brief", "maqa_severity"]
    assert len([name for name in walked["tasks"] if name.startswith("brief/")]) == 5
    for family in ("maqa_brief", "maqa_severity"):
        path = next((package / "tasks").rglob(f"{family}.yaml"))
        assert "first_word" in path.read_text() and "mentions_price" not in path.read_text()


def board_rows(walked):
    with (walked["out"] / "board" / "leaderboard.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
