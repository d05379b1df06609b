"""What the program prints on every kind of terminal: ASCII alone, 40 columns, hostile text, a pipe."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from maqa_severity import __version__, cli, commands
from maqa_severity.commands.app import app
from maqa_severity.harness.core.console import Terminal
from maqa_severity.harness.core.readable import HANDLER, visible
from rich.table import Table
from rich.text import Text

PACKAGE = Path(cli.__file__).parent
BARE = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "COLUMNS": "40", "TERM": "dumb"}


def maqa(*arguments, **environment):
    """Of ``maqa`` in a shell with ASCII alone and 40 columns: standard output and error as bytes."""
    return subprocess.run(
        [sys.executable, "-m", "maqa_severity", *map(str, arguments)],
        capture_output=True, check=False, env={**os.environ, **BARE, **environment},
    )  # fmt: skip


def narrow(width=40, encoding="ascii"):
    stream = io.TextIOWrapper(io.BytesIO(), encoding, HANDLER)

    def printed():
        stream.flush()
        return stream.buffer.getvalue().decode(encoding)

    return Terminal(file=stream, width=width), printed


def every_command():
    import importlib
    import pkgutil

    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")

    def below(group, path):
        yield group, path
        for name, command in getattr(group, "commands", {}).items():
            yield from below(command, (*path, name))

    return list(below(typer.main.get_command(app), ()))


def test_every_command_answers_to_a_short_and_a_long_ask_for_help():
    found = every_command()
    assert len(found) > 25
    for command, path in found:
        for asked in ("-h", "--help"):
            from typer.testing import CliRunner

            said = CliRunner().invoke(app, [*path, asked])
            assert said.exit_code == 0 and "-h, --help" in said.output, path
        assert "-h" not in [option for each in command.params for option in each.opts]


def test_the_version_is_said():
    said = maqa("--version")
    assert (said.returncode, said.stdout.decode().strip()) == (0, f"maqa {__version__}")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_names_of_commands(shell):
    shown = maqa("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert shown.returncode == 0 and b"_COMPLETE" in shown.stdout


def test_one_place_makes_consoles():
    made = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if not re.match(r"tests$|\.", file.relative_to(PACKAGE).parts[0])
        and re.search(r"(?<![\w.])Console\((?!\):)", file.read_text())
    ]
    assert made == []


def test_signs_that_a_stream_lacks_are_written_in_those_that_it_has():
    console, printed = narrow()
    console.print(Text("−1.5 ± 0.2 → ≤ 3 × “x” … أ"))
    assert printed() == '-1.5 +/- 0.2 -> <= 3 x "x" ... \\u0623\n'


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_control_bytes_are_seen_and_steer_nothing(encoding):
    console, printed = narrow(encoding=encoding)
    table = Table("name", title=Text("a\x1b[2J"))
    table.add_row(Text("b\x00\x9b"))
    console.print(Text("c\x1b]0;d"), table)
    console.print("e\x07\tf")
    assert all(sign in printed() for sign in ("a\\x1b[2J", "b\\x00\\x9b", "c\\x1b]0;d", "e\\x07"))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", printed())
    assert visible("a\tb\n\r") == "a\tb\n\\x0d"


def test_styles_stay_on_their_letters_where_signs_grow():
    console, _ = narrow()
    text = Text("→ ")
    text.append("bold", style="bold")
    shown = console._shown(text)
    (span,) = shown.spans
    assert shown.plain[span.start : span.end] == "bold"


def scores():
    table = Table("run", title="percent")
    for heading in ("critical", "neutral", "p\nHolm p"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("severity-balanced", "72.57 ± 3.26\n68.5–76.6", "99.47 ± 0.71", "0.012\n0.024")
    return table


def test_a_table_that_fits_is_a_table_of_ascii_lines():
    console, printed = narrow(100)
    console.print(scores())
    assert "|" in printed() and "+" in printed() and "72.57 +/- 3.26" in printed()
    assert len({len(line) for line in printed().splitlines()[1:]}) == 1


def test_a_table_that_is_a_little_too_wide_loses_its_frame_first():
    console, printed = narrow(62)
    console.print(scores())
    assert not re.search(r"^[|+]", printed(), re.MULTILINE)
    assert "72.57 +/- 3.26|" in printed() and "critical:" not in printed()
    assert max(map(len, printed().splitlines())) <= 62


def test_a_table_that_no_terminal_can_hold_is_a_list_without_a_cut_figure():
    console, printed = narrow(24)
    console.print(scores())
    lines = printed().splitlines()
    assert max(map(len, lines)) <= 24
    assert lines[:2] == ["percent", "severity-balanced"]
    said = " ".join(printed().split())
    assert "critical: 72.57 +/- 3.26; 68.5-76.6" in said and "p: 0.012 Holm p: 0.024" in said


def test_lines_run_on_where_nobody_said_how_wide_the_terminal_is(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    stream = io.StringIO()
    table = Table(*(f"column {place}" for place in range(30)))
    for column in table.columns:
        column.no_wrap = True
    Terminal(file=stream).print(table)
    assert all(f"column {place}" in stream.getvalue() for place in range(30))


def test_an_error_names_an_arabic_file_on_an_ascii_terminal():
    said = maqa("label", "ا")
    assert said.returncode == 2 and b"Traceback" not in said.stderr
    assert rb"maqa: dataset folder \u0627 does not exist" in said.stderr


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    from maqa_severity.tasks.sample import handwritten_rows
    from maqa_severity.tests.tongues import ARABIC

    folder = tmp_path_factory.mktemp("narrow")
    rows = [f'"{row["question"]}","{row["answer"]}"\n' for row in handwritten_rows(ARABIC)]
    (folder / "source.csv").write_text("question,answer\n" + "".join(rows), encoding="utf-8")
    said = maqa("prepare", folder / "source.csv", "--out", folder / "data")
    _readable(said)
    return folder / "data"


def _readable(said):
    assert said.returncode == 0, said.stderr
    assert b"Traceback" not in said.stderr
    said.stdout.decode("ascii"), said.stderr.decode("ascii")
    tables = [line for line in said.stdout.decode().splitlines() if line.startswith(("|", "+"))]
    assert max(map(len, tables), default=0) <= 40


def test_datasets_and_labels_are_read_on_a_bare_terminal(dataset):
    _readable(maqa("label", dataset))
    _readable(maqa("label", "--explain", "ألم في الصدر"))
    _readable(maqa("doctor", "--detectors"))


@pytest.mark.slow
def test_runs_are_read_on_a_bare_terminal(evaluated, tmp_path):
    few = ("--resamples", "100")
    one, other = evaluated["hf"], evaluated["constant"]
    _readable(maqa("compare", "--a", one, "--b", other, *few))
    _readable(maqa("leaderboard", one, other, "--out", tmp_path / "board", *few))
    _readable(maqa("report", one, "--against", other, "--out", tmp_path / "report.html", *few))
    _readable(maqa("power", "--seed-sd", 1, "--question-sd", 4, "--residual-sd", 2))


@pytest.mark.slow
@pytest.mark.weekly
def test_a_result_on_standard_output_is_that_result_and_nothing_else(evaluated, dataset, tmp_path):
    few = ("--resamples", "100")
    one, other, file = evaluated["hf"], evaluated["constant"], tmp_path / "same.json"
    for arguments in (
        ("compare", "--a", one, "--b", other, *few),
        ("leaderboard", one, other, *few),
        ("label", dataset, "--check", dataset),
        ("doctor", "--detectors"),
    ):
        assert maqa(*arguments, "--json", file, *(("--out", tmp_path) if arguments[0] == "leaderboard" else ()))
        said = maqa(*arguments, "--json", "-")
        assert said.returncode == 0 and len(said.stderr) > 200, said.stderr
        assert said.stdout == file.read_bytes() and json.loads(said.stdout)
    assert (
        file.with_name("leaderboard.json").read_bytes()
        == maqa("leaderboard", one, other, *few, "--json", "-").stdout
    )
    assert "findings" in json.loads(maqa("doctor", "--json", "-").stdout)
    assert json.loads(maqa("doctor", one, "--json", "-").stdout) == {"leaks": []}
    page = maqa("report", one, "--out", "-", *few)
    maqa("report", one, "--out", file, *few)
    assert page.stdout == file.read_bytes() and page.stdout.startswith(b"<!doctype html>")


def test_standard_output_is_given_away_once(evaluated):
    refused = maqa("leaderboard", evaluated["hf"], "--out", "-", COLUMNS="200")
    assert refused.returncode == 2 and b"several files" in refused.stderr
