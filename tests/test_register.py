"""`maqa register` makes the literal `lm_eval --tasks maqa_severity` work from an empty folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from maqa_severity.commands.register import register as maqa_register
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tasks import register


@pytest.fixture
def tasks_folder(tmp_path, monkeypatch):
    """Where the stubs would go, without touching the installed lm-eval."""
    folder = tmp_path / "lm_eval" / "tasks" / "maqa_severity"
    folder.parent.mkdir(parents=True)
    monkeypatch.setattr(register, "stub_folder", lambda: folder)
    return folder


def test_register_and_unregister_undo_each_other(tasks_folder):
    assert not register.is_registered()
    register.register()
    assert register.is_registered()
    assert sorted(path.stem for path in tasks_folder.iterdir()) == [
        "maqa_by_severity_critical", "maqa_by_severity_neutral", "maqa_by_severity_non_critical", "maqa_severity",
    ]  # fmt: skip
    register.register()
    register.unregister()
    assert not tasks_folder.exists()
    register.unregister()


def test_a_folder_that_is_not_ours_is_left_alone(tasks_folder):
    tasks_folder.mkdir()
    (tasks_folder / "mine.yaml").write_text("task: mine")
    for action in (register.register, register.unregister):
        with pytest.raises(UserError, match=r"mine\.yaml was not written by `maqa register`"):
            action()
    assert (tasks_folder / "mine.yaml").read_text() == "task: mine"


@pytest.mark.parametrize("name", ["C #1", "a: b", "مشروع طويل " * 10])
def test_the_stubs_find_an_installation_wherever_it_lies(tasks_folder, tmp_path, monkeypatch, name):
    folder = shutil.copytree(register.FOLDER, tmp_path / name, ignore=shutil.ignore_patterns("*.py", "sample"))
    monkeypatch.setattr(register, "FOLDER", folder)
    register.register()
    assert register.is_registered()
    for stub in tasks_folder.iterdir():
        assert Path(yaml.safe_load(stub.read_text(encoding="utf-8"))["include"]).is_file()


def test_a_folder_that_cannot_be_removed_is_named(tasks_folder, tmp_path):
    register.register()
    tasks_folder.rename(tmp_path / "real")
    # No tree is removed through a link.
    tasks_folder.symlink_to(tmp_path / "real")
    with pytest.raises(UserError, match=r"cannot remove .*maqa_severity"):
        register.unregister()


def test_a_folder_of_lm_eval_that_takes_nothing_is_said_with_the_way_around(tasks_folder, capsys):
    tasks_folder.parent.rmdir()
    tasks_folder.parent.write_text("")
    with pytest.raises(UserError, match=r"lm-eval's own folder takes no tasks: .*lm_eval --include_path \S+tasks"):
        register.register()
    maqa_register(include_path=True)
    assert capsys.readouterr().out.strip() == str(register.FOLDER)


def test_stubs_of_another_installation_do_not_count(tasks_folder):
    register.register()
    stub = tasks_folder / "maqa_severity.yaml"
    stub.write_text(stub.read_text().replace("include: /", "include: /elsewhere/"))
    assert not register.is_registered()
    stub.write_text("include: /a: b\n")
    assert not register.is_registered()


@pytest.mark.slow
def test_the_literal_command_works_from_an_empty_folder(checkpoint, encoder, tmp_path):
    # A copy of lm-eval takes the stubs, so that parallel tests do not meet in the installed one.
    import lm_eval

    shutil.copytree(Path(lm_eval.__file__).parent, tmp_path / "site" / "lm_eval")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "MAQA_BERTSCORE_MODEL": str(encoder)}
    empty = tmp_path / "empty"
    empty.mkdir()

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=empty,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    assert str(tmp_path / "site") in run("maqa_severity", "register").replace("\n", "")
    printed = run(
        "lm_eval", "--model", "hf", "--model_args", f"pretrained={checkpoint}", "--tasks", "maqa_severity",
        "--limit", "8", "--gen_kwargs", "max_gen_toks=16",
    )  # fmt: skip
    rows = [line for line in printed.splitlines() if "bertscore_f1" in line]
    assert [line.split("|")[1].strip(" -") for line in rows if "maqa" not in line] == [
        "critical", "neutral", "non_critical",
    ]  # fmt: skip
    assert sum("maqa_severity" in line for line in rows) == 2
    assert not list(empty.iterdir())
