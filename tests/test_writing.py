"""No command writes over what it reads, however the place is spelt, and none begins if it would."""

import inspect
from pathlib import Path

import pytest
import typer
from maqa_severity.cli import application
from maqa_severity.commands.writing import demand_apart
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.writers import make_table, run

READ = {
    *("runs", "run", "a", "b", "against", "merge", "review", "judge", "people", "ratings", "files", "file", "key"),
    *("dataset", "data", "source", "sources", "gold", "pairs", "check", "audit", "analysis", "config"),
    *("classifier", "checkpoint", "experiment", "experiments", "folders", "places", "store", "cache"),
}
"""Store and cache are kept by the command; what it finds there it reads again."""
FOLDERS = {"figures"}

OVER = [
    "nll {f} {g} --out {f}/model.json",
    "nll {f} {g} --out {link}/model.json",
    "nll {f} {g} --out {g}/model.json",
    "ratings import {x} --out {x}",
    "ratings import {x} --out new.json --gold {x} --data {f}",
    "ratings import {x} --out new.json --review {f} --flags {f}/model.json",
    "ratings agreement {x} --json {x}",
    "ratings meta {x} {f} --json {f}/model.json",
    "power {f} --arms a,b --effect 1 --out {f}/plot.tiff",
    "power {f} --arms a,b --effect 1 --json ./sub/../{name}/model.json",
    "score {x} --out {x}",
    "compare {f} {g} --json {g}/model.json",
    "leaderboard {f} {g} --analysis {x} --json {x}",
    "report {f} --out {f}/model.json",
    "verify {f} --json {f}/model.json",
    "doctor {f} --json {f}/model.json",
    "claim {f} --out {f}/model.json",
    "label {f} --check {x} --json {x}",
    "label {f} --with {x} --check {g} --json {x}",
]


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("f", "g", "sub"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text("kept")
        (tmp_path / name / "plot.tiff").write_text("kept")
    (tmp_path / "x.json").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    return {"f": tmp_path / "f", "g": Path("g"), "x": "x.json", "link": "link", "name": "f"}


@pytest.mark.parametrize("words", OVER)
def test_a_file_that_is_read_is_never_written(words, places, tmp_path):
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    status, _, told = run(words.format(**places).split())
    assert (status, told.count("\n")) == (2, 1), told
    assert "an input of this command. Name " in told
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_two_results_are_never_one_file(places):
    status, _, told = run(["power", "--out", "p.svg", "--json", "sub/../p.svg", "--effect", "1"])
    assert status == 2 and "written twice" in told


def test_a_page_and_the_likelihoods_may_be_written_again_and_a_new_file_anywhere(tmp_path):
    for name in ("report.html", "nll.parquet"):
        (tmp_path / name).write_text("")
        demand_apart({"run": tmp_path, "out": tmp_path / name}, ("out",))
    demand_apart({"run": tmp_path, "out": tmp_path / "new.json", "json": Path("-")}, ("out", "json"))
    (tmp_path / "other.parquet").write_text("")
    with pytest.raises(UserError, match=r"stands in .* an input"):
        demand_apart({"run": tmp_path, "out": tmp_path / "other.parquet"}, ("out",))


@pytest.mark.parametrize("source", ["data", "link", "data/train.parquet", "link/../data/dataset.json"])
def test_a_dataset_is_never_replaced_by_what_is_made_of_it(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_table(tmp_path)
    assert run(["prepare", "data.csv", "--out", "data"])[0] == 0
    Path("link").symlink_to("data")
    before = {path.name: path.read_bytes() for path in Path("data").iterdir()}
    status, _, told = run(["prepare", source, "--out", "data", "--overwrite"])
    assert status == 2 and "which is read" in told and told.count("\n") == 1, told
    assert {path.name: path.read_bytes() for path in Path("data").iterdir()} == before
    assert run(["prepare", "data.csv", "--out", "link", "--overwrite"])[0] == 0


def _commands(of: typer.Typer):
    yield from (each.callback for each in of.registered_commands)
    for group in of.registered_groups:
        yield from _commands(group.typer_instance)


def test_every_place_that_a_command_takes_is_declared_as_read_or_written():
    commands = list(_commands(application()))
    assert len(commands) > 25
    for command in commands:
        taken = inspect.signature(command, eval_str=True).parameters.values()
        places = {each.name for each in taken if "pathlib.Path" in str(each.annotation)}
        assert places - {*command.writes} <= READ | FOLDERS, f"{command.__name__}: {places}"
